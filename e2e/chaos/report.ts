/** What a run found, for people: how much happened, and each violation on a line. */
import type { Evidence, Violation } from './evidence.ts';
import { countedIn, unknownIn } from './history.ts';

export function reportText(
  run: { readonly seed: number },
  evidence: Evidence,
  violations: readonly Violation[],
): string {
  const { history, strikes, logs, finals } = evidence;
  const counted = countedIn(history);
  const failed = history.filter((event) => event.kind === 'call' && event.outcome === 'fail').length;
  const epochs = new Set(counted.map(({ actor, epoch }) => `${actor} ${epoch}`)).size;
  const facts = [...logs.values()].flat();
  const hits = Object.entries(
    Object.groupBy(
      strikes.filter(({ hit }) => hit),
      ({ fault }) => fault,
    ),
  );
  const lastMs = Math.max(0, ...finals.map(({ settledAfterMs }) => settledAfterMs ?? Infinity));
  return [
    `seed ${run.seed}`,
    `calls: ${counted.length} answered, ${failed} refused, ${unknownIn(history).length} without a known outcome`,
    `activations that answered: ${epochs}; generations committed: ${facts.filter(({ kind }) => kind === 'snapshot').length}`,
    `faults: ${hits.map(([fault, all]) => `${fault} ${all?.length ?? 0}`).join(', ')}`,
    `stable ${(lastMs / 1000).toFixed(1)} s after the last fault`,
    ...violations.map(
      ({ rule, actor, words }) => `VIOLATION ${rule}${actor === undefined ? '' : ` (${actor})`}: ${words}`,
    ),
    violations.length === 0 ? 'no violation' : `${violations.length} violations`,
  ].join('\n');
}
