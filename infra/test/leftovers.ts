/** What a run left behind: everything of ours that is there now and was not before. For `npm test` and for e2e tests. */
import { setTimeout as delay } from 'node:timers/promises';
import { kinds, lookAround, type Kind, type Surroundings } from './surroundings.ts';

/** The kernel takes a namespace apart after its last process has gone, at its leisure. */
const settleMs = 5_000;
const pollIntervalMs = 100;

export interface Leftover {
  readonly kind: Kind;
  readonly what: string;
}

/** Looks until nothing is left or the time to settle has passed, and returns what is left then. */
export async function findLeftovers(marker: string, before: Surroundings, limitMs = settleMs): Promise<Leftover[]> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const left = difference(before, await lookAround(marker));
    if (left.length === 0 || performance.now() > deadline) return left;
    await delay(pollIntervalMs);
  }
}

export function difference(before: Surroundings, after: Surroundings): Leftover[] {
  return kinds.flatMap((kind) => [...after[kind].difference(before[kind])].map((what) => ({ kind, what })));
}
