/** Percentiles by nearest rank: always a value that was measured, never one between two. */

/** The smallest sample that at least `percent` of the samples do not exceed; undefined without samples. */
export function percentile(samples: readonly number[], percent: number): number | undefined {
  if (!(percent > 0 && percent <= 100)) throw new RangeError(`a percentile lies above 0 and up to 100, not ${percent}`);
  const sorted = samples.toSorted((a, b) => a - b);
  // Multiplied before it is divided: 0.07 * 100 is above 7 in floating point and would take the next rank.
  return sorted[Math.ceil((percent * sorted.length) / 100) - 1];
}

export const median = (samples: readonly number[]): number | undefined => percentile(samples, 50);
