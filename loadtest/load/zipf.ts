/** Which actor is called next: the k-th most popular one with a probability of 1/k^s (Zipf), as real callers choose. */
import type { Random } from './random.ts';

/** Returns ranks from 0 (the most popular) to `count` - 1. An exponent of 0 makes all equally popular. */
export function zipf(count: number, exponent: number, random: Random): () => number {
  const sums: number[] = [];
  let total = 0;
  for (let rank = 1; rank <= count; rank++) sums.push((total += rank ** -exponent));
  return () => firstAbove(sums, random() * total);
}

/** Binary search: a million actors are drawn from as quickly as ten. */
function firstAbove(sums: readonly number[], value: number): number {
  let [low, high] = [0, sums.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sums[middle] ?? 0) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
