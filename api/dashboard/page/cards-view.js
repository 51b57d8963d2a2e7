// @ts-check
/** A view that is asked for as a whole and drawn as a whole: templates, nodes, starts. Its focus survives being drawn anew. */
import { problemFrom } from './api.js';
import { fill, make } from './dom.js';
import { problemNotice } from './notice.js';

/** Many changes at once are one look. */
const settleMs = 500;

/**
 * @template Answer
 * @param {object} parts
 * @param {string} parts.title
 * @param {(signal: AbortSignal) => Promise<Answer>} parts.load
 * @param {(answer: Answer, again: () => void) => readonly (Node | false | undefined)[]} parts.draw `again`: looks at once.
 * @param {readonly string[]} parts.kinds Of the changes that call for another look.
 * @param {number} [parts.settleMs]
 */
export function createCardsView({ title, load, draw, kinds, settleMs: pauseMs = settleMs }) {
  const content = make('div', { class: 'cards-content' }, make('p', { class: 'muted' }, 'Looking …'));
  const element = make(
    'section',
    { class: 'pane page', 'aria-labelledby': `title-${title}` },
    make('h1', { id: `title-${title}` }, title),
    content,
  );
  let timer = 0;
  let known = false;
  let asking = new AbortController();

  const refresh = async () => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    try {
      const answer = await load(signal);
      if (signal.aborted) return;
      const focused = content.contains(document.activeElement) ? document.activeElement?.id : undefined;
      fill(content, ...draw(answer, () => void refresh()));
      if (focused) document.getElementById(focused)?.focus();
      known = true;
    } catch (error) {
      const away = problemFrom(error).code === 'unreachable';
      if (!signal.aborted && !(known && away))
        fill(
          content,
          problemNotice(error, () => void refresh()),
        );
    }
  };
  const refreshSoon = () => {
    if (timer !== 0) return;
    timer = window.setTimeout(() => {
      timer = 0;
      if (element.isConnected) void refresh();
    }, pauseMs);
  };
  return {
    element,
    show: () => void refresh(),
    /** @param {import('./live.js').Change} change */
    onChange: ({ kind }) => kinds.includes(kind) && refreshSoon(),
    onLook: refreshSoon,
    search: () => undefined,
    escape: () => false,
  };
}

/** @param {string} name @param {string | number} value @param {string} [title] */
export const fact = (name, value, title) =>
  make('div', { class: 'fact' }, make('dt', {}, name), make('dd', { title }, value));

/** @param {string} label @param {number} used @param {number} all @param {string} words */
export function gauge(label, used, all, words) {
  const fraction = all === 0 ? 0 : Math.min(1, used / all);
  const bar = make('span', { class: 'bar' });
  bar.style.width = `${fraction * 100}%`;
  return make(
    'div',
    {
      class: 'gauge',
      'data-full': String(fraction >= 0.9),
      role: 'meter',
      'aria-label': label,
      'aria-valuemin': 0,
      'aria-valuemax': all,
      'aria-valuenow': used,
      'aria-valuetext': words,
    },
    make('span', { class: 'gauge-name' }, label),
    make('span', { class: 'number' }, words),
    make('span', { class: 'track' }, bar),
  );
}
