/** Turns samples into figures; no clock, no input, no output. */
import type { StartKind } from '../../shared/registry/records.ts';
import { median, percentile } from '../percentile.ts';
import type { Sample } from '../sample.ts';

export interface SeriesFacts {
  readonly name: string;
  readonly expects: StartKind;
}

export interface SeriesSummary extends SeriesFacts {
  readonly calls: number;
  readonly succeeded: number;
  /** 0 to 1; undefined without calls. */
  readonly successRate: number | undefined;
  /** Succeeded, but their answers name another start: left out of every figure below. */
  readonly otherStart: number;
  /** Calls that the figures below are made of. */
  readonly counted: number;
  readonly latencyMs: Readonly<Record<'p50' | 'p90' | 'p95' | 'p99' | 'max', number | undefined>>;
  /** Median of each phase over the counted calls that have it, in the order the server gave. */
  readonly phasesP50Ms: Readonly<Record<string, number>>;
  readonly dominating: { readonly phase: string; readonly p50Ms: number; readonly share: number } | undefined;
}

export interface Ratio {
  readonly of: string;
  readonly to: string;
  /** Of their medians; undefined when one of them was not measured. */
  readonly value: number | undefined;
}

/** What the client waited beyond the server's own total: its side of the connection, and the way there and back. */
const outsidePhase = 'outside';
const totalPhase = 'total';

export function summarize(series: SeriesFacts, samples: readonly Sample[]): SeriesSummary {
  const mine = samples.filter((sample) => sample.series === series.name);
  const succeeded = mine.filter((sample) => sample.ok);
  const counted = succeeded.filter((sample) => sample.start === series.expects);
  const latencies = counted.flatMap((sample) => sample.latencyMs ?? []);
  const phasesP50Ms = phaseMedians(counted);
  const p50 = median(latencies);
  return {
    name: series.name,
    expects: series.expects,
    calls: mine.length,
    succeeded: succeeded.length,
    successRate: mine.length === 0 ? undefined : succeeded.length / mine.length,
    otherStart: succeeded.length - counted.length,
    counted: counted.length,
    latencyMs: {
      p50,
      p90: percentile(latencies, 90),
      p95: percentile(latencies, 95),
      p99: percentile(latencies, 99),
      max: percentile(latencies, 100),
    },
    phasesP50Ms,
    dominating: dominatingPhase(phasesP50Ms, p50),
  };
}

function phaseMedians(samples: readonly Sample[]): Record<string, number> {
  const values = new Map<string, number[]>();
  for (const sample of samples) {
    for (const [phase, milliseconds] of Object.entries(withOutside(sample))) {
      values.set(phase, [...(values.get(phase) ?? []), milliseconds]);
    }
  }
  return Object.fromEntries([...values].map(([phase, list]) => [phase, median(list) ?? 0]));
}

function withOutside({ phases, latencyMs }: Sample): Readonly<Record<string, number>> {
  const total = phases[totalPhase];
  if (total === undefined || latencyMs === undefined) return phases;
  return { ...phases, [outsidePhase]: Math.max(0, latencyMs - total) };
}

function dominatingPhase(
  phases: Readonly<Record<string, number>>,
  p50: number | undefined,
): SeriesSummary['dominating'] {
  const parts = Object.entries(phases).filter(([phase]) => phase !== totalPhase);
  const largest = parts.sort(([, a], [, b]) => b - a)[0];
  if (largest === undefined || p50 === undefined) return undefined;
  return { phase: largest[0], p50Ms: largest[1], share: largest[1] / p50 };
}

/** How many times as long one series takes as another, by their medians. */
export function ratioOf(summaries: readonly SeriesSummary[], of: string, to: string): Ratio {
  const p50 = (name: string): number | undefined => summaries.find((summary) => summary.name === name)?.latencyMs.p50;
  const [above, below] = [p50(of), p50(to)];
  return { of, to, value: above === undefined || below === undefined || below === 0 ? undefined : above / below };
}
