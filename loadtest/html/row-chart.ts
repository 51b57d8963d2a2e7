/** Named rows along one axis: a bar from one value to another, or marks upon a thin line. Pure: data in, SVG out. */
import { element, words } from './markup.ts';
import { scaleOf, tickText, type ScaleKind } from './scale.ts';

export interface Row {
  readonly label: string;
  readonly color: number;
  readonly from: number;
  readonly to: number;
  /** Beside the end of the bar. */
  readonly text?: string;
  /** With marks the bar is a thin line. */
  readonly marks?: readonly { readonly at: number; readonly name: string }[];
}

export interface RowChart {
  readonly label: string;
  readonly kind?: ScaleKind;
  readonly rows: readonly Row[];
}

const width = 560;
const rowHeight = 24;
const barHeight = 12;
const bottom = 44;
const top = 8;
/** Room for the words beside the longest bar. */
const textRoom = 84;
/** Of the 13.5 px font in print, where it is largest (theme.ts). */
const characterPx = 8.2;
const mostLabelPx = 210;

export function rowChart({ label, kind = 'linear', rows }: RowChart): string {
  const labelPx = Math.min(mostLabelPx, Math.max(...rows.map((row) => row.label.length * characterPx), 30) + 10);
  const plotWidth = width - labelPx - textRoom;
  const plotHeight = rows.length * rowHeight;
  const values = rows.flatMap(({ from, to }) => [from, to]).filter((value) => kind === 'linear' || value > 0);
  const low = kind === 'linear' ? 0 : Math.min(...values);
  const scale = scaleOf(kind, low, Math.max(...values, low), plotWidth);
  const ticks = scale.ticks.map((value) => {
    const at = scale.place(value);
    const line = element('line', { x1: at, x2: at, y1: 0, y2: plotHeight, class: 'grid' });
    return (
      line + element('text', { x: at, y: plotHeight + 16, class: 'tick', 'text-anchor': 'middle' }, [tickText(value)])
    );
  });
  const axis = element('text', { x: plotWidth, y: plotHeight + 36, class: 'axis', 'text-anchor': 'end' }, [
    words(label),
  ]);
  const drawn = rows.map((row, index) => drawRow(row, index * rowHeight, labelPx, scale.place));
  const group = element('g', { transform: `translate(${labelPx} ${top})` }, [...ticks, ...drawn, axis]);
  const viewBox = `0 0 ${width} ${plotHeight + top + bottom}`;
  return element('svg', { viewBox, role: 'img', 'aria-label': label }, [group]);
}

function drawRow(row: Row, y: number, labelPx: number, place: (value: number) => number): string {
  const [start, end, middle] = [place(row.from), place(row.to), y + rowHeight / 2];
  const name = element('text', { x: -8, y: middle + 4, class: 'name', 'text-anchor': 'end' }, [
    words(shortened(row.label, labelPx)),
  ]);
  const text = element('text', { x: end + 8, y: middle + 4, class: 'tick' }, [words(row.text ?? '')]);
  const title = element('title', {}, [words(`${row.label}: ${row.text ?? ''}`)]);
  if (row.marks === undefined) {
    // A value too small to be seen is still a value.
    const bar = { x: start, y: middle - barHeight / 2, width: Math.max(end - start, 1.5), height: barHeight, rx: 2 };
    return element('g', { class: `bar c${row.color}` }, [title, name, element('rect', bar), text]);
  }
  const thread = element('line', { x1: start, x2: end, y1: middle, y2: middle, class: 'thread' });
  const marks = row.marks.map(({ at, name: mark }, index) =>
    element('circle', { cx: place(at), cy: middle, r: index === 0 ? 5 : 3 }, [element('title', {}, [words(mark)])]),
  );
  return element('g', { class: `bar c${row.color}` }, [name, thread, ...marks, text]);
}

function shortened(label: string, labelPx: number): string {
  const most = Math.floor((labelPx - 10) / characterPx);
  return label.length <= most ? label : `${label.slice(0, most - 1)}…`;
}
