/** Collects what was measured: values by figure, each with the phases it was made of. */
import { median, percentile } from '../loadtest/percentile.ts';
import type { Figure, Spread, Unit } from './report/report.ts';

export interface Figures {
  add(name: string, unit: Unit, value: number, phases?: Readonly<Record<string, number>>): void;
  summaries(): Figure[];
}

export function createFigures(): Figures {
  const collected = new Map<string, { unit: Unit; values: number[]; phases: Map<string, number[]> }>();
  return {
    add(name, unit, value, phases = {}) {
      const figure = collected.get(name) ?? { unit, values: [], phases: new Map<string, number[]>() };
      collected.set(name, figure);
      figure.values.push(value);
      for (const [phase, ms] of Object.entries(phases)) {
        figure.phases.set(phase, [...(figure.phases.get(phase) ?? []), ms]);
      }
    },
    summaries: () =>
      [...collected].map(([name, { unit, values, phases }]) => ({
        ...{ name, unit, count: values.length },
        ...spreadOf(values),
        phases: Object.fromEntries([...phases].map(([phase, list]) => [phase, spreadOf(list)])),
      })),
  };
}

function spreadOf(values: readonly number[]): Spread {
  return { median: rounded(median(values)), p95: rounded(percentile(values, 95)) };
}

/** Microseconds of a millisecond: far below what any of this can tell apart. */
const rounded = (value = 0): number => Math.round(value * 1000) / 1000;
