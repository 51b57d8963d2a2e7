// @ts-check
/** What an actor has behind it: the snapshots that are kept, and the latest changes of its state. */
import { make } from '../dom.js';
import { formatAgo, formatBytes, formatCount, formatInstant } from '../format.js';
import { stateBadge } from '../states.js';

/** @import { Explanation, Generation } from './detail.js' */

/** @param {readonly Generation[]} generations */
export function generationTable(generations) {
  if (generations.length === 0) return make('p', { class: 'muted' }, 'Nothing is kept in the store.');
  const largest = Math.max(1, ...generations.map(({ sizes }) => sizes?.shippedBytes ?? 0));
  return make(
    'div',
    { class: 'wide', tabindex: 0, role: 'region', 'aria-label': 'Generations' },
    make(
      'table',
      { class: 'plain' },
      make(
        'thead',
        {},
        make(
          'tr',
          {},
          ...['Gen.', 'Captured', 'Shipped', 'Pages', 'Node'].map((title) => make('th', { scope: 'col' }, title)),
        ),
      ),
      make('tbody', {}, ...generations.map((generation) => generationRow(generation, largest))),
    ),
  );
}

/** @param {Generation} generation @param {number} largest */
function generationRow({ generation, kind, capturedAt, node, sizes }, largest) {
  const bar = make('span', { class: 'bar' });
  bar.style.width = `${((sizes?.shippedBytes ?? 0) / largest) * 100}%`;
  const size = sizes === undefined ? (kind === 'golden' ? 'golden' : '–') : formatBytes(sizes.shippedBytes);
  return make(
    'tr',
    {},
    make('th', { scope: 'row' }, generation),
    make('td', { title: formatInstant(capturedAt) }, formatAgo(capturedAt)),
    make(
      'td',
      { class: 'sized' },
      make('span', {}, size),
      sizes !== undefined && make('span', { class: 'track', 'aria-hidden': 'true' }, bar),
    ),
    make('td', { class: 'number' }, sizes === undefined ? '–' : formatCount(sizes.changedPages)),
    make('td', {}, node ?? '–'),
  );
}

/** @param {Explanation['events']} events Oldest first, as the API has them. */
export function eventList(events) {
  if (events.length === 0) return make('p', { class: 'muted' }, 'No changes are remembered.');
  const rows = events
    .toReversed()
    .map(({ at, state, reason, node, epoch }) =>
      make(
        'li',
        {},
        stateBadge(state),
        make('span', { class: 'event-reason' }, reason),
        make(
          'span',
          { class: 'muted small', title: formatInstant(at) },
          [formatAgo(at), node, epoch].filter(Boolean).join(' · '),
        ),
      ),
    );
  return make('ol', { class: 'events', tabindex: 0, 'aria-label': 'Events, the newest first' }, ...rows);
}
