/** Rules about the end of a run, when no fault strikes any more, and about whether the run was worth anything. */
import type { Evidence, Violation } from '../evidence.ts';
import { countedIn, type HistoryEvent, type Look } from '../history.ts';

const stableStates: ReadonlySet<string> = new Set(['suspended', 'running', 'paused']);

export interface Expectations {
  /** Every actor must be in a stable state so long after the last fault. */
  readonly settleLimitMs: number;
  readonly minAnsweredPerActor: number;
  /** Different activations that answered, per actor, on average. */
  readonly minEpochsPerActor: number;
  /** Times that an actor came to another node, per actor, on average. */
  readonly minMovesPerActor: number;
  readonly minHits: number;
  /** Each of these hit at least once. */
  readonly faults: readonly string[];
}

export const checkEnding = (evidence: Evidence, expected: Expectations): Violation[] => [
  ...evidence.finals.flatMap((final): Violation[] => {
    const { actor, state, settledAfterMs, silent } = final;
    const late = settledAfterMs === undefined || settledAfterMs > expected.settleLimitMs;
    return [
      ...(late ? [{ rule: 'settles-within-its-deadline', actor, words: `it is ${state}` }] : []),
      ...(late || stableStates.has(state) ? [] : [{ rule: 'ends-in-a-stable-state', actor, words: `it is ${state}` }]),
      ...(silent === undefined ? [] : [{ rule: 'answers-again', actor, words: silent }]),
    ];
  }),
  ...evidence.actors
    .filter((actor) => !evidence.finals.some((final) => final.actor === actor))
    .map((actor) => ({ rule: 'answers-again', actor, words: 'nobody looked at it in the end' })),
  ...evidence.leftovers.map((words) => ({ rule: 'nothing-is-left', words })),
  ...evidence.store.others
    .filter(({ verdict }) => verdict !== 'orphan')
    .map(({ verdict, key, reason = '' }) => ({ rule: 'the-store-is-sound', words: `${verdict} ${key}: ${reason}` })),
];

/** A run in which little happened proves nothing, so it fails. */
export const checkWorth = (evidence: Worth, expected: Expectations): Violation[] =>
  [...tooQuiet(evidence, expected), ...tooPeaceful(evidence, expected), ...tooBlind(evidence)].map((words) => ({
    rule: 'not-trivial',
    words,
  }));

type Worth = Pick<Evidence, 'actors' | 'history' | 'strikes' | 'intervals' | 'store'>;

export function tooQuiet({ actors, history }: Pick<Worth, 'actors' | 'history'>, expected: Expectations): string[] {
  const answered = Map.groupBy(countedIn(history), ({ actor }) => actor);
  const epochs = [...answered.values()].map((calls) => new Set(calls.map(({ epoch }) => epoch)).size);
  const meanEpochs = epochs.reduce((sum, count) => sum + count, 0) / Math.max(1, actors.length);
  const idle = actors.filter((actor) => (answered.get(actor)?.length ?? 0) < expected.minAnsweredPerActor);
  const moves = actors.reduce((sum, actor) => sum + movesIn(history, actor), 0);
  const words = [
    ...(actors.length === 0 ? ['there were no actors'] : []),
    ...(moves >= expected.minMovesPerActor * actors.length ? [] : [`actors came to another node only ${moves} times`]),
    ...(idle.length === 0 ? [] : [`fewer than ${expected.minAnsweredPerActor} answered calls to ${idle.join(', ')}`]),
  ];
  if (meanEpochs >= expected.minEpochsPerActor) return words;
  return [...words, `${meanEpochs.toFixed(1)} activations per actor answered, not ${expected.minEpochsPerActor}`];
}

function tooPeaceful({ strikes }: Pick<Worth, 'strikes'>, expected: Expectations): string[] {
  const hits = strikes.filter(({ hit }) => hit);
  const unused = expected.faults.filter((fault) => !hits.some((strike) => strike.fault === fault));
  const words = unused.map((fault) => `${fault} never struck`);
  if (hits.length >= expected.minHits) return words;
  return [...words, `${hits.length} faults struck, not ${expected.minHits}`];
}

/** As the api showed it: a run that is under way knows it too, and can go on until there was enough of it. */
function movesIn(history: readonly HistoryEvent[], actor: string): number {
  const nodes = history
    .filter((event) => event.kind === 'look' && event.actor === actor && event.node !== undefined)
    .toSorted((a, b) => a.invokedAt - b.invokedAt)
    .map((event) => (event as Look).node);
  return nodes.slice(1).filter((node, index) => node !== nodes[index]).length;
}

/** Some VMs are stopped, or end unnoticed by their node, before the first look at them. */
const seenShare = 0.8;

/** What was not looked at cannot be found to be broken. */
function tooBlind({ history, intervals, store }: Worth): string[] {
  const known = new Set(intervals.map(({ actor, epoch }) => `${actor} ${epoch}`));
  const answered = new Set(countedIn(history).map(({ actor, epoch }) => `${actor} ${epoch}`));
  const unknown = [...answered.difference(known)];
  const seen = intervals.filter((interval) => interval.seen).length;
  return [
    ...(unknown.length === 0 ? [] : [`no node logged the activations that answered: ${unknown.join(', ')}`]),
    ...(seen >= intervals.length * seenShare ? [] : [`of ${intervals.length} lives of VMs only ${seen} were seen`]),
    ...(store.live > 0 ? [] : ['fsck found nothing alive in the store']),
  ];
}
