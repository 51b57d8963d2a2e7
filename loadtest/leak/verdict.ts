/**
 * Whether a platform at rest is what it was before. Pure: counts before and after, and the trend of each long-lived
 * process's memory.
 */
import type { LeakReport } from '../result/result.ts';

/** Something that is counted at rest. */
export type Counts = Readonly<Record<string, number>>;

/**
 * Kept connections come and go with the load, so a few descriptors more are no leak; anything else must be as before.
 * A leak of one descriptor a cycle passes this within a minute.
 */
const allowedMore: Counts = { descriptors: 16 };

export function compareCounts(before: Counts, after: Counts): LeakReport['counts'] {
  return Object.entries(before).map(([name, was]) => {
    const allowed = allowedMore[name] ?? 0;
    const is = after[name] ?? 0;
    return { name, before: was, after: is, allowed, grew: is > was + allowed };
  });
}

/** Seconds since the start, and MiB. */
export type MemoryPoint = [seconds: number, mib: number];

/** A garbage collector gives memory back late; so much may come on top of what a process held at first. */
const allowedMiB = 48;
const allowedShare = 0.15;

export function memoryTrend(process: string, points: readonly MemoryPoint[]): LeakReport['memory'][number] {
  const slope = theilSen(points);
  const [firstSecond = 0, firstMiB = 0] = points[0] ?? [];
  const [lastSecond = 0, lastMiB = 0] = points.at(-1) ?? [];
  const allowed = allowedMiB + allowedShare * firstMiB;
  return {
    process,
    firstMiB,
    lastMiB,
    slopeMiBPerMinute: slope * 60,
    allowedMiB: allowed,
    grew: slope * (lastSecond - firstSecond) > allowed,
    points: [...points],
  };
}

/** Enough pairs to be sure of the middle one, few enough to be computed at once. */
const mostPoints = 200;

/** The median of the slopes between all pairs: a few outliers (a collection, a peak) do not turn it. */
export function theilSen(points: readonly MemoryPoint[]): number {
  const stride = Math.ceil(points.length / mostPoints);
  const some = points.filter((_, index) => index % stride === 0);
  const slopes = some.flatMap(([x1, y1], index) =>
    some.slice(index + 1).flatMap(([x2, y2]) => (x2 > x1 ? [(y2 - y1) / (x2 - x1)] : [])),
  );
  slopes.sort((a, b) => a - b);
  return slopes[Math.floor(slopes.length / 2)] ?? 0;
}

export const hasGrown = ({ counts, memory }: LeakReport): boolean =>
  counts.some(({ grew }) => grew) || memory.some(({ grew }) => grew);
