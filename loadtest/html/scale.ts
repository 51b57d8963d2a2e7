/** From values to places on an axis, and which values get a tick. Pure. */

export interface Scale {
  readonly ticks: readonly number[];
  /** Pixels from the start of the axis. */
  readonly place: (value: number) => number;
}

export type ScaleKind = 'linear' | 'log';

/** `from` and `to` are widened to the next tick, so that the outermost values do not sit on the frame. */
export function scaleOf(kind: ScaleKind, from: number, to: number, lengthPx: number): Scale {
  const ticks = kind === 'log' ? logTicks(from, to) : linearTicks(from, to);
  const position = kind === 'log' ? Math.log10 : (value: number): number => value;
  const [first, last] = [position(ticks[0] ?? 0), position(ticks.at(-1) ?? 1)];
  const smallest = ticks[0] ?? 0;
  return {
    ticks,
    // What a logarithm cannot show stands at the start.
    place: (value) =>
      ((position(kind === 'log' ? Math.max(value, smallest) : value) - first) / (last - first)) * lengthPx,
  };
}

/** Not more labels than have room beside each other. */
const mostTicks = 6;

function linearTicks(from: number, to: number): number[] {
  const span = Math.max(to - from, Number.EPSILON * Math.abs(to), 1e-9);
  const step = [1, 2, 5, 10].map((factor) => factor * 10 ** Math.floor(Math.log10(span / mostTicks)));
  const size = step.find((one) => Math.ceil(to / one) - Math.floor(from / one) <= mostTicks) ?? span;
  const [first, last] = [Math.floor(from / size), Math.max(Math.ceil(to / size), Math.floor(from / size) + 1)];
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * size).toPrecision(12)));
}

/** 1, 2, 5 of each power of ten within two powers; the powers alone beyond, perhaps not all of them. */
function logTicks(from: number, to: number): number[] {
  const low = Math.max(from, 1e-3);
  const high = Math.max(to, low * 1.01);
  const fine = stepsBetween(low, high, [1, 2, 5]);
  if (fine.length <= mostTicks) return fine;
  const powers = stepsBetween(low, high, [1]);
  const stride = Math.ceil(powers.length / mostTicks);
  const last = powers.length - 1;
  return powers.filter((_, index) => index === last || (index % stride === 0 && last - index >= stride));
}

/** The largest step not above `low` to the smallest not below `high`. */
function stepsBetween(low: number, high: number, factors: readonly number[]): number[] {
  const steps: number[] = [];
  for (let power = Math.floor(Math.log10(low)) - 1; power <= Math.ceil(Math.log10(high)) + 1; power++) {
    for (const factor of factors) steps.push(Number((factor * 10 ** power).toPrecision(6)));
  }
  const first = steps.findLastIndex((step) => step <= low);
  const last = steps.findIndex((step) => step >= high);
  return steps.slice(first, last + 1);
}

/** 1200 as 1,200 and 145000000 as 145M: what has room beside an axis. */
export const tickText = (value: number): string =>
  value.toLocaleString('en-US', {
    maximumFractionDigits: 3,
    notation: Math.abs(value) < 100_000 ? 'standard' : 'compact',
  });
