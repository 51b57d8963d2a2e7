// @ts-check
/**
 * The wakes of an actor, each with its waterfall: the last one as the API tells it, and those before that this page saw.
 * They are kept while the page is open.
 */
import { fill, make } from '../dom.js';
import { formatAgo, formatInstant } from '../format.js';
import { waterfall } from '../waterfall.js';

/** @import { ActorView } from '../../../schemas/actor.ts' */
/** @typedef {NonNullable<ActorView['lastStart']>} Start */

const mostPerActor = 8;
/** An evening of looking at actors, and no more memory than that. */
const mostActors = 200;

/** @type {Map<string, Start[]>} The newest first. */
const seen = new Map();

export function createWakes() {
  const element = make('div', { class: 'wakes' });
  let drawn = '';
  return {
    element,
    /** @param {string} id */
    of(id) {
      drawn = '';
      if (!seen.has(id) && seen.size >= mostActors) seen.delete(seen.keys().next().value ?? '');
      fill(element);
    },
    /** @param {ActorView} actor */
    show({ id, lastStart }) {
      const starts = remember(id, lastStart);
      const key = starts.map(({ at }) => at).join();
      if (key === drawn && key !== '') return; // an open one stays open
      drawn = key;
      fill(
        element,
        ...(starts.length === 0
          ? [make('p', { class: 'muted' }, 'Never awake so far. Its first call wakes it.')]
          : starts.map(oneWake)),
      );
    },
  };
}

/** @param {string} id @param {Start | undefined} last */
function remember(id, last) {
  const starts = seen.get(id) ?? [];
  if (last === undefined || starts.some(({ at }) => at === last.at)) return starts;
  const next = [last, ...starts].slice(0, mostPerActor);
  seen.set(id, next);
  return next;
}

/** @param {Start} start @param {number} index */
function oneWake({ kind, at, phases }, index) {
  return make(
    'details',
    { class: 'wake', open: index === 0 },
    make(
      'summary',
      {},
      make('span', { class: 'start-kind', 'data-kind': kind }, kind),
      make('span', { class: 'muted small', title: formatInstant(at) }, ` ${formatAgo(at)}`),
    ),
    waterfall(phases),
  );
}
