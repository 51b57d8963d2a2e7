// @ts-check
/**
 * How long starts take, cold, warm and hot: a histogram of the last start of each actor, and of every start that this
 * page hears of while it is open. A sample, and it says of how many.
 */
import { callJson } from './api.js';
import { createCardsView } from './cards-view.js';
import { make } from './dom.js';
import { formatCount, formatMs } from './format.js';
import { emptyState } from './notice.js';

/** @import { ActorView } from '../../schemas/actor.ts' */
/** @typedef {{items: ActorView[], nextCursor?: string}} ActorPage */
/** @typedef {{kind: 'cold' | 'warm' | 'hot', ms: number}} Sample */

/** Enough for a picture; whoever wants all of them reads /metrics. */
const pagesRead = 4;
const pageSize = 500;
/** Upper ends of the columns, three to ten apart, as starts are. */
const endsMs = [10, 30, 100, 300, 1000, 3000, 10_000, 30_000, Infinity];
const kinds = /** @type {const} */ ({
  cold: 'A VM boots',
  warm: 'From a snapshot',
  hot: 'Already running',
});

/** @type {Map<string, Sample>} By actor and instant: each start counts once. */
const samples = new Map();
/** A day of a busy platform, in a page that nobody closes. */
const mostSamples = 20_000;

export const createStartsView = () =>
  createCardsView({
    title: 'Starts',
    kinds: ['actor'],
    settleMs: 5000, // each look reads up to four pages
    load: async (signal) => {
      let cursor = '';
      let actors = 0;
      for (let page = 0; page < pagesRead; page++) {
        const { items, nextCursor } = await /** @type {Promise<ActorPage>} */ (
          callJson(`/v1/actors?limit=${pageSize}${cursor === '' ? '' : `&cursor=${cursor}`}`, { signal })
        );
        items.forEach(remember);
        actors += items.length;
        if (nextCursor === undefined) return { actors, complete: true };
        cursor = encodeURIComponent(nextCursor);
      }
      return { actors, complete: false };
    },
    draw: ({ actors, complete }) => {
      const all = [...samples.values()];
      if (all.length === 0)
        return [
          emptyState(
            'No start so far',
            'Call an actor, or resume one: each start is counted here by how it began and how long it took.',
          ),
        ];
      const among = `${complete ? 'all' : 'the first'} ${formatCount(actors)} actors`;
      return [
        make(
          'p',
          { class: 'muted' },
          `Last start of each of ${among}, and those that this page saw: ${formatCount(all.length)}. A column counts starts of up to the time below it.`,
        ),
        make(
          'div',
          { class: 'histograms' },
          ...Object.entries(kinds).map(([kind, words]) =>
            histogram(
              kind,
              words,
              all.filter((sample) => sample.kind === kind),
            ),
          ),
        ),
      ];
    },
  });

/** @param {ActorView} actor */
function remember({ id, lastStart }) {
  if (lastStart === undefined || samples.size >= mostSamples) return;
  const { total, ...phases } = lastStart.phases;
  const ms = total ?? Object.values(phases).reduce((sum, phase) => sum + phase, 0);
  samples.set(`${id} ${lastStart.at}`, { kind: lastStart.kind, ms });
}

/** @param {string} kind @param {string} words @param {readonly Sample[]} found */
function histogram(kind, words, found) {
  const counts = endsMs.map(
    (end, index) => found.filter(({ ms }) => ms < end && ms >= (endsMs[index - 1] ?? 0)).length,
  );
  const most = Math.max(1, ...counts);
  const sorted = found.map(({ ms }) => ms).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  const summary = median === undefined ? 'none seen' : `${formatCount(found.length)}, median ${formatMs(median)}`;
  const columns = counts.map((count, index) => column(count, most, labelOf(index)));
  return make(
    'figure',
    { class: 'histogram', 'data-kind': kind },
    make(
      'figcaption',
      {},
      make('span', { class: 'start-kind', 'data-kind': kind }, kind),
      make('span', {}, ` ${summary}`),
      make('span', { class: 'muted small' }, words),
    ),
    found.length === 0
      ? make(
          'p',
          { class: 'muted small' },
          kind === 'hot' ? 'A call to a running actor leaves no record with it.' : 'No actor began like this.',
        )
      : make('ol', { class: 'columns', 'aria-label': `${kind} starts by duration` }, ...columns),
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
