/** All rules over all the evidence of a run. No violation means: what the run showed is what docs/guarantees.md says. */
import type { Evidence, Violation } from '../evidence.ts';
import { countedIn, unknownIn } from '../history.ts';
import { checkCounting } from './counting.ts';
import { checkEnding, checkWorth, type Expectations } from './ending.ts';
import { checkOverlap } from './overlap.ts';
import { checkPromises } from './promises.ts';

export function checkRun(evidence: Evidence, expected: Expectations): Violation[] {
  const rollbacks = evidence.strikes.filter(({ fault, hit }) => fault === 'redis-lost-tail' && hit);
  const perActor = evidence.actors.flatMap((actor) => {
    const history = evidence.history.filter((event) => event.actor === actor);
    const counted = countedIn(history);
    const log = evidence.logs.get(actor) ?? [];
    const intervals = evidence.intervals.filter((interval) => interval.actor === actor);
    return [
      ...checkCounting({ actor, counted, unknown: unknownIn(history), log }),
      ...checkPromises({ actor, history, counted, rollbacks }),
      ...checkOverlap({ actor, counted, intervals, log }),
    ];
  });
  return [...perActor, ...checkEnding(evidence, expected), ...checkWorth(evidence, expected)];
}
