// @ts-check
/** Starts of one kind by how long they took: a figure that a screen reader reads as a list. */
import { make } from './dom.js';
import { formatCount, formatMs } from './format.js';

/** @typedef {'cold' | 'warm' | 'hot'} StartKind */

/** Upper ends of the columns, about three apart, as starts are; each is also an end of a bucket of /metrics. */
export const endsMs = [10, 25, 100, 250, 1000, 2500, 10_000, 30_000, Infinity];

/** @type {Readonly<Record<StartKind, string>>} */
export const startKinds = { cold: 'A VM boots', warm: 'From a snapshot', hot: 'Already running' };

/**
 * @param {StartKind} kind @param {readonly number[]} counts One for each of `endsMs`.
 * @param {{median?: number | undefined, none: string}} words
 */
export function histogram(kind, counts, { median, none }) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const most = Math.max(1, ...counts);
  const summary = `${formatCount(total)}${median === undefined ? '' : `, median ${formatMs(median)}`}`;
  return make(
    'figure',
    { class: 'histogram', 'data-kind': kind },
    make(
      'figcaption',
      {},
      make('span', { class: 'start-kind', 'data-kind': kind }, kind),
      make('span', {}, total === 0 ? 'none seen' : summary),
      make('span', { class: 'muted small' }, startKinds[kind]),
    ),
    total === 0
      ? make('p', { class: 'muted small' }, none)
      : make(
          'ol',
          { class: 'columns', 'aria-label': `${kind} starts by duration` },
          ...counts.map((count, index) => column(count, most, labelOf(index))),
        ),
  );
}

/** @param {number} count @param {number} most @param {readonly [string, string]} label */
function column(count, most, [bound, unit]) {
  const bar = make('span', { class: 'column-bar', 'aria-hidden': 'true' });
  bar.style.height = `${(count / most) * 100}%`;
  return make(
    'li',
    {},
    make('span', { class: 'column-count' }, count === 0 ? '' : formatCount(count)),
    make('span', { class: 'column-track' }, bar),
    make(
      'span',
      { class: 'column-label' },
      make('span', { class: 'unseen' }, 'up to '),
      make('span', {}, bound),
      ' ',
      make('span', {}, unit),
    ),
  );
}

/** @param {number} index @returns {readonly [string, string]} A bound and its unit. */
function labelOf(index) {
  const end = endsMs[index] ?? Infinity;
  const [bound = '', unit = ''] = formatMs(end === Infinity ? (endsMs[index - 1] ?? 0) : end).split(' ');
  return [end === Infinity ? `${bound}+` : bound, unit];
}
