/**
 * When each call of an open loop is to be sent, in milliseconds after its start. A schedule is made before the first
 * call and does not wait for answers: a platform that is slow is offered no less for it.
 */
import type { Random } from './random.ts';

/** All at once. */
export const burst = (count: number): number[] => Array.from({ length: count }, () => 0);

/** One after the other, a fixed time apart. */
export const staggered = (count: number, gapMs: number): number[] =>
  Array.from({ length: count }, (_, index) => index * gapMs);

/** Independent callers: exponential gaps, `ratePerS` on average, until the time is over. */
export function poisson(ratePerS: number, durationMs: number, random: Random): number[] {
  const times: number[] = [];
  for (let at = gap(ratePerS, random); at < durationMs; at += gap(ratePerS, random)) times.push(at);
  return times;
}

/** As many as wanted rather than as long. */
export function poissonCount(ratePerS: number, count: number, random: Random): number[] {
  let at = 0;
  return Array.from({ length: count }, () => (at += gap(ratePerS, random)));
}

// 1 - random is never 0, whose logarithm is infinite.
const gap = (ratePerS: number, random: Random): number => (-Math.log(1 - random()) * 1000) / ratePerS;
