/** Rules about the end of a run, when no fault strikes any more, and about whether the run was worth anything. */
import type { Evidence, Violation } from '../evidence.ts';
import { countedIn } from '../history.ts';

const stableStates: ReadonlySet<string> = new Set(['suspended', 'running', 'paused']);

export interface Expectations {
  /** Every actor must be in a stable state so long after the last fault. */
  readonly settleLimitMs: number;
  readonly minAnsweredPerActor: number;
  /** Different activations that answered, per actor, on average. */
  readonly minEpochsPerActor: number;
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
];

/** A run in which little happened proves nothing, so it fails. */
export const checkWorth = (evidence: Worth, expected: Expectations): Violation[] =>
  [...tooQuiet(evidence, expected), ...tooPeaceful(evidence, expected)].map((words) => ({
    rule: 'not-trivial',
    words,
  }));

type Worth = Pick<Evidence, 'actors' | 'history' | 'strikes'>;

export function tooQuiet({ actors, history }: Pick<Worth, 'actors' | 'history'>, expected: Expectations): string[] {
  const answered = Map.groupBy(countedIn(history), ({ actor }) => actor);
  const epochs = [...answered.values()].map((calls) => new Set(calls.map(({ epoch }) => epoch)).size);
  const meanEpochs = epochs.reduce((sum, count) => sum + count, 0) / Math.max(1, actors.length);
  const idle = actors.filter((actor) => (answered.get(actor)?.length ?? 0) < expected.minAnsweredPerActor);
  const words = [
    ...(actors.length === 0 ? ['there were no actors'] : []),
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
