/**
 * Distributions of milliseconds in an HdrHistogram: three significant digits from a microsecond to an hour, in little
 * room however many there are. What a report keeps of one is its curve: the value at each of a row of percentiles.
 */
import { build } from 'hdr-histogram-js';

/** So many percent of the values do not exceed so many milliseconds. */
export type CurvePoint = [percent: number, ms: number];

export interface Distribution {
  readonly count: number;
  /** Undefined without values; never above the largest one. */
  readonly percentile: (percent: number) => number | undefined;
  readonly curve: () => CurvePoint[];
}

const microsecondsPerMs = 1000;
/** A wake that takes longer has long failed. */
const highestMs = 3_600_000;

export function distributionOf(valuesMs: readonly number[]): Distribution {
  const histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: highestMs * microsecondsPerMs,
    numberOfSignificantValueDigits: 3,
  });
  let largestMs = 0;
  for (const value of valuesMs) {
    const bounded = Math.min(Math.max(value, 0), highestMs);
    largestMs = Math.max(largestMs, bounded);
    histogram.recordValue(Math.round(bounded * microsecondsPerMs));
  }
  const percentile = (percent: number): number | undefined => {
    if (valuesMs.length === 0) return undefined;
    // A column is named by its upper end, which may lie above anything that was measured.
    return Math.min(histogram.getValueAtPercentile(percent) / microsecondsPerMs, largestMs);
  };
  return {
    count: valuesMs.length,
    percentile,
    curve: () => curvePercents(valuesMs.length).map((percent) => [percent, percentile(percent) ?? 0]),
  };
}

/** Whole percents, and a tail as fine as that many values can tell apart. */
function curvePercents(count: number): number[] {
  if (count === 0) return [];
  const whole = Array.from({ length: 100 }, (_, percent) => percent);
  const tail = [99.5, 99.9, 99.95, 99.99].filter((percent) => percent <= 100 * (1 - 1 / count));
  return [...whole, ...tail, 100];
}
