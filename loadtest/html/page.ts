/** The frame of every page: head, figures with their legend, tables, notes. No outside asset, no script. */
import { isFigure } from '../result/text.ts';
import type { Table } from '../result/tables.ts';
import { element, words } from './markup.ts';
import { stylesheet } from './theme.ts';

export function page(title: string, body: readonly string[]): string {
  const head = [
    element('meta', { charset: 'utf-8' }),
    element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    element('title', {}, [words(title)]),
    element('style', {}, [stylesheet]),
  ];
  const html = element('html', { lang: 'en' }, [element('head', {}, head), element('body', {}, body)]);
  return `<!doctype html>\n${html}\n`;
}

export interface LegendEntry {
  readonly name: string;
  readonly color: number;
}

export interface Figure {
  readonly title: string;
  readonly explanation: string;
  readonly legend?: readonly LegendEntry[];
  readonly svg: string;
}

export function figure({ title, explanation, legend = [], svg }: Figure): string {
  const caption = element('figcaption', {}, [words(title), element('small', {}, [words(explanation)])]);
  const entries = legend.map(({ name, color }) => element('li', { class: `c${color}` }, [words(name)]));
  const list = entries.length === 0 ? [] : [element('ul', { class: 'legend' }, entries)];
  return element('figure', {}, [caption, ...list, svg]);
}

export const figures = (all: readonly Figure[]): string =>
  all.length === 0 ? '' : element('div', { class: 'charts' }, all.map(figure));

export interface Tile {
  readonly value: string;
  readonly label: string;
  readonly color: number;
}

export const tiles = (all: readonly Tile[]): string =>
  element(
    'ul',
    { class: 'tiles' },
    all.map(({ value, label, color }) =>
      element('li', { class: `c${color}` }, [element('b', {}, [words(value)]), element('span', {}, [words(label)])]),
    ),
  );

export function tableMarkup({ title, rows }: Table): string {
  const [head = [], ...body] = rows;
  const numeric = head.map((_, column) => column > 0 && body.every((row) => isFigure(row[column] ?? '-')));
  const cell = (name: 'th' | 'td', text: string, column: number): string => {
    const kind = text === 'GREW' ? 'bad' : numeric[column] === true ? 'number' : undefined;
    return element(name, { class: kind }, [words(text)]);
  };
  const row = (name: 'th' | 'td', cells: readonly string[]): string =>
    element(
      'tr',
      {},
      cells.map((text, column) => cell(name, text, column)),
    );
  return element('div', { class: 'scroll' }, [
    element('table', {}, [
      element('caption', {}, [words(title)]),
      element('thead', {}, [row('th', head)]),
      element(
        'tbody',
        {},
        body.map((cells) => row('td', cells)),
      ),
    ]),
  ]);
}

export const paragraphs = (lines: readonly string[]): string =>
  lines.map((line) => element('p', line.startsWith('INTERRUPTED') ? { class: 'warning' } : {}, [words(line)])).join('');

export const notes = (lines: readonly string[]): string =>
  lines.length === 0
    ? ''
    : element('h2', {}, ['Notes']) +
      element(
        'ul',
        { class: 'notes' },
        lines.map((line) => element('li', {}, [words(line)])),
      );

export const heading = (text: string): string => element('h2', {}, [words(text)]);
export const title = (text: string): string => element('h1', {}, [words(text)]);
