/** Turns samples into figures; no clock, no input, no output. */
import { distributionOf } from '../histogram.ts';
import { median } from '../percentile.ts';
import type { RunResult, Sample, SeriesSummary, StartKind } from './result.ts';

export interface SeriesFacts {
  readonly name: string;
  readonly expects?: StartKind;
}

/** What the client waited beyond the server's own total: its side of the connection, and the way there and back. */
const outsidePhase = 'outside';
const totalPhase = 'total';
/** From the server's decision until the VM runs: what the phases before it add up to. */
const sums: readonly string[] = [totalPhase, 'running'];

/** One row a series that was called at all; a series that takes any start has one more for each start. */
export function summariesOf(series: readonly SeriesFacts[], samples: readonly Sample[]): SeriesSummary[] {
  const bySeries = Map.groupBy(samples, (sample) => sample.series);
  return series.flatMap((one) => {
    const mine = bySeries.get(one.name);
    if (mine === undefined) return [];
    return one.expects === undefined ? [summarize(one, mine), ...byStart(one.name, mine)] : [summarize(one, mine)];
  });
}

function byStart(name: string, samples: readonly Sample[]): SeriesSummary[] {
  const groups = Map.groupBy(samples, (sample) => sample.start);
  return (['cold', 'warm', 'hot'] as const).flatMap((start) => {
    const those = groups.get(start);
    return those === undefined ? [] : [summarize({ name: `${name}, ${start}`, expects: start }, those)];
  });
}

/** Of the samples of one series. */
export function summarize(series: SeriesFacts, samples: readonly Sample[]): SeriesSummary {
  const succeeded = samples.filter((sample) => sample.ok);
  const counted = succeeded.filter((sample) => series.expects === undefined || sample.start === series.expects);
  const distribution = distributionOf(counted.flatMap((sample) => sample.latencyMs ?? []));
  const phasesP50Ms = phaseMedians(counted);
  return {
    ...series,
    calls: samples.length,
    succeeded: succeeded.length,
    ...(samples.length === 0 ? {} : { successRate: succeeded.length / samples.length }),
    otherStart: succeeded.length - counted.length,
    counted: counted.length,
    latencyMs: percentilesOf(distribution),
    curve: distribution.curve(),
    phasesP50Ms,
    ...dominatingPhase(phasesOfMost(counted, phasesP50Ms), distribution.percentile(50)),
  };
}

function percentilesOf({ percentile }: ReturnType<typeof distributionOf>): SeriesSummary['latencyMs'] {
  const entries = { p50: 50, p90: 90, p95: 95, p99: 99, p999: 99.9, max: 100 };
  const known = Object.entries(entries).map(([name, percent]) => [name, percentile(percent)] as const);
  return Object.fromEntries(known.filter(([, value]) => value !== undefined));
}

function phaseMedians(samples: readonly Sample[]): Record<string, number> {
  const values = new Map<string, number[]>();
  for (const sample of samples) {
    for (const [phase, milliseconds] of Object.entries(withOutside(sample))) {
      const known = values.get(phase);
      if (known === undefined) values.set(phase, [milliseconds]);
      else known.push(milliseconds);
    }
  }
  return Object.fromEntries([...values].map(([phase, list]) => [phase, median(list) ?? 0]));
}

function withOutside({ phases, latencyMs }: Sample): Readonly<Record<string, number>> {
  const total = phases[totalPhase];
  if (total === undefined || latencyMs === undefined) return phases;
  return { ...phases, [outsidePhase]: Math.max(0, latencyMs - total) };
}

/** The phases that lie within or beside the whole: their sum is what the client waited. */
export const partsOf = (phases: Readonly<Record<string, number>>): [string, number][] =>
  Object.entries(phases).filter(([phase]) => !sums.includes(phase));

/** A phase of few calls (those of a mixture that found their actor asleep) has no share in the median of all. */
function phasesOfMost(
  samples: readonly Sample[],
  medians: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const isUsual = (phase: string): boolean =>
    samples.filter((one) => phase in withOutside(one)).length * 2 > samples.length;
  return Object.fromEntries(Object.entries(medians).filter(([phase]) => isUsual(phase)));
}

function dominatingPhase(
  phases: Readonly<Record<string, number>>,
  p50: number | undefined,
): Pick<SeriesSummary, 'dominating'> {
  const largest = partsOf(phases).sort(([, a], [, b]) => b - a)[0];
  if (largest === undefined || p50 === undefined || p50 === 0) return {};
  return { dominating: { phase: largest[0], p50Ms: largest[1], share: largest[1] / p50 } };
}

/** How many times as long one series takes as another, by their medians; without a value when one was not measured. */
export function ratioOf(summaries: readonly SeriesSummary[], of: string, to: string): RunResult['ratios'][number] {
  const p50 = (name: string): number | undefined => summaries.find((summary) => summary.name === name)?.latencyMs.p50;
  const [above, below] = [p50(of), p50(to)];
  return above === undefined || below === undefined || below === 0 ? { of, to } : { of, to, value: above / below };
}
