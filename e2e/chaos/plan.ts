/** Which faults strike when, drawn from the seed before the run begins, so that the same seed gives the same plan. */
import type { FaultName } from './faults/names.ts';
import { seededRandom } from './random.ts';

export interface PlannedFault {
  readonly fault: FaultName;
  /** From the beginning of the run. */
  readonly atMs: number;
  readonly seed: number;
}

export interface PlanOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly faults: readonly [FaultName, ...FaultName[]];
}

/** The platform gets some peace between faults, or it would never do what it is to be disturbed in. */
const pauseMs = { shortest: 1000, longest: 6000 } as const;
/** The local stack takes a process that dies sooner than this again and again for one that cannot work. */
const betweenKillsMs = 11_000;

export function planFaults({ seed, durationMs, faults }: PlanOptions): PlannedFault[] {
  const random = seededRandom(seed);
  const plan: PlannedFault[] = [];
  const killedAt = new Map<FaultName, number>();
  const turn = [...faults];
  let isFirstRound = true;
  for (let atMs = 0; ;) {
    // Each fault has its turn once before any has its second, and in a short run sooner: no seed leaves one out.
    const share = (durationMs - atMs) / (isFirstRound ? turn.length + 1 : 1);
    atMs += Math.min(random.between(pauseMs.shortest, pauseMs.longest), share);
    if (atMs >= durationMs) return plan;
    const ready = turn.filter((fault) => atMs - (killedAt.get(fault) ?? -Infinity) >= betweenKillsMs);
    const [first, ...others] = ready;
    if (first === undefined) continue;
    const fault = random.pick([first, ...others]);
    turn.splice(turn.indexOf(fault), 1);
    if (turn.length === 0) {
      turn.push(...faults);
      isFirstRound = false;
    }
    if (fault.startsWith('kill-')) killedAt.set(fault, atMs);
    plan.push({ fault, atMs, seed: Math.floor(random.next() * 2 ** 32) });
  }
}
