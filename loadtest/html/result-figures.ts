/** Which figures a result has: each function gives none when there is nothing to draw. Pure. */
import { bytes, milliseconds } from '../result/figures.ts';
import type { RunResult, SeriesSummary } from '../result/result.ts';
import { partsOf } from '../result/summary.ts';
import { lineChart, type Line } from './line-chart.ts';
import type { Figure, LegendEntry } from './page.ts';
import { rowChart } from './row-chart.ts';
import { paletteSize } from './theme.ts';

/** A series has one colour on the whole page. */
export type ColorOf = (name: string) => number;

export function colorsOf(summaries: readonly SeriesSummary[]): ColorOf {
  const order = new Map(summaries.map(({ name }, index) => [name, index % paletteSize]));
  return (name) => order.get(name) ?? paletteSize - 1;
}

const legendOf = (lines: readonly Line[]): LegendEntry[] => lines.map(({ name, color }) => ({ name, color }));

export function percentileFigure(summaries: readonly SeriesSummary[], colorOf: ColorOf): Figure[] {
  const rows = summaries.flatMap(({ name, latencyMs }) => {
    const { p50, p90, p99, max } = latencyMs;
    if (p50 === undefined || p90 === undefined || p99 === undefined || max === undefined) return [];
    const marks = Object.entries({ p50, p90, p99, max }).map(([mark, at]) => ({
      at,
      name: `${mark} ${milliseconds(at)} ms`,
    }));
    return [{ label: name, color: colorOf(name), from: p50, to: max, text: `p50 ${milliseconds(p50)}`, marks }];
  });
  if (rows.length === 0) return [];
  const explanation = 'Large dot: p50; small dots: p90, p99 and the slowest call. Logarithmic.';
  return [{ title: 'Percentiles', explanation, svg: rowChart({ label: 'milliseconds', kind: 'log', rows }) }];
}

export function distributionFigure(summaries: readonly SeriesSummary[], colorOf: ColorOf): Figure[] {
  const lines = summaries
    .filter(({ curve }) => curve.length > 0)
    .map(({ name, curve }): Line => ({
      name,
      color: colorOf(name),
      points: curve.map(([percent, ms]) => [ms, percent]),
    }));
  if (lines.length === 0) return [];
  const svg = lineChart({
    x: { label: 'milliseconds', kind: 'log' },
    y: { label: '% of calls', from: 0, to: 100 },
    lines,
  });
  const explanation = 'How many percent of the calls took at most so long.';
  return [{ title: 'Distribution of latency', explanation, legend: legendOf(lines), svg }];
}

/** One a series: each phase begins where the one before it ended. */
export function waterfallFigures(summaries: readonly SeriesSummary[], colorOf: ColorOf): Figure[] {
  return summaries.flatMap(({ name, phasesP50Ms }) => {
    const parts = partsOf(phasesP50Ms);
    if (parts.length < 2) return [];
    let from = 0;
    const rows = parts.map(([phase, ms]) => {
      const row = { label: phase, color: colorOf(name), from, to: from + ms, text: `${milliseconds(ms)} ms` };
      from += ms;
      return row;
    });
    const explanation = 'Median of each phase, one behind the other; phases that overlap in time are drawn in a row.';
    return [{ title: `Phases: ${name}`, explanation, svg: rowChart({ label: 'milliseconds', rows }) }];
  });
}

const secondsSince = (startedAt: string): ((at: string) => number) => {
  const zero = Date.parse(startedAt);
  return (at) => (Date.parse(at) - zero) / 1000;
};

const time = { label: 'seconds since the start', from: 0 };

export function callsFigure({ startedAt, samples, summaries }: RunResult, colorOf: ColorOf): Figure[] {
  const second = secondsSince(startedAt);
  const groups = Map.groupBy(
    samples.filter((sample) => sample.ok && sample.latencyMs !== undefined),
    ({ series, start }) =>
      summaries.some(({ name }) => name === `${series}, ${start}`) ? `${series}, ${start}` : series,
  );
  const lines = [...groups].map(([name, those]): Line => {
    const points = those.map(({ at, latencyMs = 0 }) => [second(at), latencyMs] as const);
    return { name, color: colorOf(name), points: thinned(points), dots: true };
  });
  if (lines.length === 0) return [];
  const svg = lineChart({ x: time, y: { label: 'milliseconds', kind: 'log' }, lines });
  return [
    { title: 'Calls over time', explanation: 'Each dot is a call that succeeded.', legend: legendOf(lines), svg },
  ];
}

/** More dots than this hide each other; the slowest of each group stays, since it is what one looks for. */
const mostDots = 1500;

export function thinned(points: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  const stride = Math.ceil(points.length / mostDots);
  const kept: (readonly [number, number])[] = [];
  for (let index = 0; index < points.length; index += stride) {
    const group = points.slice(index, index + stride);
    kept.push(group.reduce((slowest, point) => (point[1] > slowest[1] ? point : slowest)));
  }
  return kept;
}

export function ladderFigures({ ladder }: RunResult): Figure[] {
  if (ladder === undefined || ladder.steps.length === 0) return [];
  const { steps, knee, p50BoundMs } = ladder;
  const line = (name: string, color: number, value: (step: (typeof steps)[number]) => number | undefined): Line => ({
    name,
    color,
    points: steps.flatMap((step) => {
      const y = value(step);
      return y === undefined ? [] : [[step.ratePerS, y] as const];
    }),
  });
  const x = { label: 'offered calls a second', kind: 'log' } as const;
  const { reached, ratePerS } = knee;
  const mark =
    !reached || ratePerS === undefined ? [] : [{ axis: 'x', at: ratePerS, label: `knee ${ratePerS}/s` } as const];
  const bound = { axis: 'y', at: p50BoundMs, label: `bound of the p50, ${p50BoundMs} ms` } as const;
  const latency = [line('p50', 0, ({ p50Ms }) => p50Ms), line('p99', 1, ({ p99Ms }) => p99Ms)];
  const success = [
    line('success', 2, (step) => (step.offered === 0 ? undefined : (100 * step.succeeded) / step.offered)),
  ];
  const y = { label: 'milliseconds', kind: 'log' } as const;
  return [
    {
      title: 'Ladder: latency',
      explanation: knee.reason,
      legend: legendOf(latency),
      svg: lineChart({ x, y, lines: latency, rules: [...mark, bound] }),
    },
    {
      title: 'Ladder: success',
      explanation: 'Calls that succeeded, of those offered.',
      svg: lineChart({ x, y: { label: '%', from: 0, to: 100 }, lines: success, rules: mark }),
    },
  ];
}

export function shippedFigure({ sleeps }: RunResult, colorOf: ColorOf): Figure[] {
  const groups = Map.groupBy(
    sleeps.filter(({ shippedBytes }) => shippedBytes !== undefined),
    ({ series }) => series,
  );
  const rows = [...groups].map(([label, those]) => {
    const sizes = those.map(({ shippedBytes = 0 }) => shippedBytes).sort((a, b) => a - b);
    const middle = sizes[Math.floor((sizes.length - 1) / 2)] ?? 0;
    return { label, color: colorOf(label), from: 0, to: middle / 2 ** 20, text: bytes(middle) };
  });
  if (rows.length === 0) return [];
  const explanation = 'What one suspend sent to the store, median.';
  return [{ title: 'Bytes shipped', explanation, svg: rowChart({ label: 'MiB', rows }) }];
}

export function nodeFigures({ startedAt, looks }: RunResult): Figure[] {
  const second = secondsSince(startedAt);
  const ids = [...new Set(looks.flatMap(({ nodes }) => nodes.map(({ id }) => id)))].sort();
  if (looks.length < 2 || ids.length === 0) return [];
  const lines = ids.map((id, index): Line => ({
    name: id,
    color: index % paletteSize,
    points: looks.flatMap(({ at, nodes }) =>
      nodes.filter((node) => node.id === id).map((node) => [second(at), node.usedMemoryMiB] as const),
    ),
  }));
  const svg = lineChart({ x: time, y: { label: 'MiB', from: 0 }, lines });
  const explanation = 'Guest memory that each node has given out to running actors.';
  return [{ title: 'Memory of the nodes', explanation, legend: legendOf(lines), svg }];
}

/** A dozen figures that never change tell nothing. */
const mostMetrics = 6;

export function metricFigures({ startedAt, looks }: RunResult): Figure[] {
  const second = secondsSince(startedAt);
  const names = [...new Set(looks.flatMap(({ metrics }) => Object.keys(metrics)))];
  const changing = names.filter((name) => new Set(looks.map(({ metrics }) => metrics[name])).size > 1);
  return changing.slice(0, mostMetrics).map((name) => {
    const points = looks.flatMap(({ at, metrics }) => {
      const value = metrics[name];
      return value === undefined ? [] : [[second(at), value] as const];
    });
    const svg = lineChart({ x: time, y: { label: '' }, lines: [{ name, color: 0, points }] });
    return { title: name, explanation: 'As the server counts it, summed over its labels.', svg };
  });
}

export function leakFigures({ leaks }: RunResult): Figure[] {
  if (leaks === undefined || leaks.memory.length === 0) return [];
  const lines = leaks.memory.map(({ process, points }, index): Line => ({
    name: process,
    color: index % paletteSize,
    points,
  }));
  const svg = lineChart({ x: time, y: { label: 'resident MiB', from: 0 }, lines });
  const explanation = 'Resident memory of the processes that lived through the whole run.';
  return [{ title: 'Memory of the processes', explanation, legend: legendOf(lines), svg }];
}
