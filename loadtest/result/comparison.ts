/** Two runs side by side: for each series that both have, the figures of both and their ratios. Pure. */
import { milliseconds, percentage, ratio } from './figures.ts';
import type { RunResult, SeriesSummary } from './result.ts';
import type { Table } from './tables.ts';

export interface Compared {
  readonly name: string;
  readonly a: SeriesSummary;
  readonly b: SeriesSummary;
  /** How many times as long b takes as a; above 1, b is slower. */
  readonly p50Ratio: number | undefined;
  readonly p99Ratio: number | undefined;
}

export interface Comparison {
  readonly series: readonly Compared[];
  /** What a reader must know before reading a ratio: what else differs, what only one of the two has. */
  readonly notes: readonly string[];
}

export function compareResults(a: RunResult, b: RunResult): Comparison {
  const series = a.summaries.flatMap((ours): Compared[] => {
    const theirs = b.summaries.find(({ name }) => name === ours.name);
    if (theirs === undefined) return [];
    const ratioAt = (percentile: 'p50' | 'p99') => quotient(theirs.latencyMs[percentile], ours.latencyMs[percentile]);
    return [{ name: ours.name, a: ours, b: theirs, p50Ratio: ratioAt('p50'), p99Ratio: ratioAt('p99') }];
  });
  return { series, notes: [...differences(a, b), ...onlyIn('a', a, b), ...onlyIn('b', b, a)] };
}

const quotient = (above: number | undefined, below: number | undefined): number | undefined =>
  above === undefined || below === undefined || below === 0 ? undefined : above / below;

/** Settings of one run that say nothing about its load: where it was run, and where its results went. */
const incidental: ReadonlySet<string> = new Set([
  'url',
  'json',
  'html',
  'png',
  'chromium',
  'home',
  'redis-url',
  'store',
]);

function differences(a: RunResult, b: RunResult): string[] {
  const facts = ({ machine, versions, settings }: RunResult): [string, string][] => [
    ['machine', `${machine.cpus} × ${machine.cpuModel}, ${machine.memoryMiB} MiB, ${machine.platform}`],
    ['nodes', versions.runtimes.join('; ')],
    ...Object.entries(settings)
      .filter(([name]) => !incidental.has(name))
      .map(([name, value]): [string, string] => [`--${name}`, JSON.stringify(value)]),
  ];
  const [ours, theirs] = [new Map(facts(a)), new Map(facts(b))];
  return [...new Set([...ours.keys(), ...theirs.keys()])]
    .filter((name) => ours.get(name) !== theirs.get(name))
    .map((name) => `they differ in ${name}: ${ours.get(name) ?? 'none'} against ${theirs.get(name) ?? 'none'}`);
}

const onlyIn = (word: string, one: RunResult, other: RunResult): string[] =>
  one.summaries
    .filter(({ name }) => !other.summaries.some((summary) => summary.name === name))
    .map(({ name }) => `only ${word} has ${name}`);

export function comparisonTable({ series }: Comparison): Table {
  return {
    title: 'Latency at the client (ms), and how many times as long b takes as a',
    rows: [
      ['START', 'SUCCESS A', 'SUCCESS B', 'P50 A', 'P50 B', 'B / A', 'P99 A', 'P99 B', 'B / A'],
      ...series.map(({ name, a, b, p50Ratio, p99Ratio }) => [
        name,
        percentage(a.successRate),
        percentage(b.successRate),
        ...[milliseconds(a.latencyMs.p50), milliseconds(b.latencyMs.p50), ratio(p50Ratio)],
        ...[milliseconds(a.latencyMs.p99), milliseconds(b.latencyMs.p99), ratio(p99Ratio)],
      ]),
    ],
  };
}

/** By phase, where both have it: where a difference comes from. */
export function phaseComparisonTable({ series }: Comparison): Table {
  const rows = series.flatMap(({ name, a, b }) =>
    Object.entries(a.phasesP50Ms).flatMap(([phase, before]) => {
      const after = b.phasesP50Ms[phase];
      if (after === undefined) return [];
      return [[name, phase, milliseconds(before), milliseconds(after), ratio(quotient(after, before))]];
    }),
  );
  return { title: 'Phases, p50 (ms)', rows: [['START', 'PHASE', 'A', 'B', 'B / A'], ...rows] };
}
