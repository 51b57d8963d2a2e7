// @ts-check
/**
 * How long starts take, cold, warm and hot. What callers waited comes from /metrics where this api counts it; the starts
 * themselves are the last one of each actor, and those that this page hears of. A sample, and it says of how many.
 */
import { callJson } from './api.js';
import { readCallTimes } from './call-times.js';
import { createCardsView } from './cards-view.js';
import { make } from './dom.js';
import { formatCount } from './format.js';
import { endsMs, histogram, startKinds } from './histogram.js';
import { emptyState } from './notice.js';

/** @import { ActorView } from '../../schemas/actor.ts' */
/** @import { CallTimes } from './call-times.js' */
/** @import { StartKind } from './histogram.js' */
/** @typedef {{items: ActorView[], nextCursor?: string}} ActorPage */
/** @typedef {{kind: StartKind, ms: number}} Sample */

/** Enough for a picture; whoever wants all of them reads /metrics. */
const pagesRead = 4;
const pageSize = 500;
/** A day of a busy platform, in a page that nobody closes. */
const mostSamples = 20_000;

/** @type {Map<string, Sample>} By actor and instant: each start counts once. */
const samples = new Map();
const kinds = /** @type {StartKind[]} */ (Object.keys(startKinds));

export const createStartsView = () =>
  createCardsView({
    title: 'Starts',
    kinds: ['actor'],
    settleMs: 5000, // each look reads up to four pages
    load: async (signal) => {
      const [seen, calls] = await Promise.all([
        readStarts(signal),
        readCallTimes(signal).catch(() => undefined), // a token may see actors and no metrics
      ]);
      return { ...seen, calls };
    },
    draw: ({ actors, complete, calls }) => [calls !== undefined && callFigures(calls), startFigures(actors, complete)],
  });

/** @param {AbortSignal} signal */
async function readStarts(signal) {
  let cursor = '';
  let actors = 0;
  for (let page = 0; page < pagesRead; page++) {
    const query = `limit=${pageSize}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
    const { items, nextCursor } = await /** @type {Promise<ActorPage>} */ (callJson(`/v1/actors?${query}`, { signal }));
    items.forEach(remember);
    actors += items.length;
    if (nextCursor === undefined) return { actors, complete: true };
    cursor = nextCursor;
  }
  return { actors, complete: false };
}

/** @param {ActorView} actor */
function remember({ id, lastStart }) {
  if (lastStart === undefined || samples.size >= mostSamples) return;
  const { total, ...phases } = lastStart.phases;
  const ms = total ?? Object.values(phases).reduce((sum, phase) => sum + phase, 0);
  samples.set(`${id} ${lastStart.at}`, { kind: lastStart.kind, ms });
}

/** @param {CallTimes} calls */
const callFigures = (calls) =>
  make(
    'section',
    { 'aria-labelledby': 'calls-title' },
    make('h2', { id: 'calls-title' }, 'What callers waited'),
    make(
      'p',
      { class: 'muted' },
      'From the arrival of a call to the first byte of its answer, since this api began. A column counts what took up to the time below it.',
    ),
    make(
      'div',
      { class: 'histograms' },
      ...kinds.map((kind) => histogram(kind, calls[kind], { none: 'No call was answered like this.' })),
    ),
  );

/** @param {number} actors @param {boolean} complete */
function startFigures(actors, complete) {
  const all = [...samples.values()];
  if (all.length === 0)
    return emptyState(
      'No start so far',
      'Call an actor, or resume one: each start is counted here by how it began and how long it took.',
    );
  const among = complete ? `all ${formatCount(actors)} actors` : `the first ${formatCount(actors)} actors`;
  return make(
    'section',
    { 'aria-labelledby': 'starts-title' },
    make('h2', { id: 'starts-title' }, 'How long starts took'),
    make(
      'p',
      { class: 'muted' },
      `The last start of each of ${among}, and those that this page saw: ${formatCount(all.length)}.`,
    ),
    make(
      'div',
      { class: 'histograms' },
      ...kinds.map((kind) =>
        sampleFigure(
          kind,
          all.filter((sample) => sample.kind === kind),
        ),
      ),
    ),
  );
}

/** @param {StartKind} kind @param {readonly Sample[]} found */
function sampleFigure(kind, found) {
  const counts = endsMs.map(
    (end, index) => found.filter(({ ms }) => ms <= end && ms > (endsMs[index - 1] ?? -1)).length,
  );
  const sorted = found.map(({ ms }) => ms).sort((a, b) => a - b);
  const none = kind === 'hot' ? 'A call to a running actor leaves no record with it.' : 'No actor began like this.';
  return histogram(kind, counts, { median: sorted[Math.floor(sorted.length / 2)], none });
}
