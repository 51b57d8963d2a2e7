/** The report's tables as rows of words, for the terminal and for the page alike. The first row is the head. */
import { bytes, milliseconds, percentage, ratio } from './figures.ts';
import type { Ladder, LeakReport, RunResult, SeriesSummary, Sleep } from './result.ts';
import { median } from '../percentile.ts';

export interface Table {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
}

/** Those that have something to show. */
export function tablesOf(result: RunResult): Table[] {
  const { summaries, ratios, preparations, ladder, leaks, sleeps } = result;
  const shown: (Table | undefined)[] = [
    latencyTable(summaries),
    phaseTable(summaries),
    ratios.length === 0
      ? undefined
      : {
          title: 'Ratios of the p50',
          rows: [['STARTS', 'RATIO'], ...ratios.map((one) => [`${one.of} / ${one.to}`, ratio(one.value)])],
        },
    ladder && ladderTable(ladder),
    sleeps.length === 0 ? undefined : sleepTable(sleeps),
    preparations.length === 0
      ? undefined
      : {
          title: 'From POST of the template to ready (ms)',
          rows: [
            ['TEMPLATE', 'READY'],
            ...preparations.map(({ template, file, readyMs }) => [`${template} (${file})`, milliseconds(readyMs)]),
          ],
        },
    ...(leaks === undefined ? [] : leakTables(leaks)),
  ];
  return shown.filter((table) => table !== undefined);
}

function latencyTable(summaries: readonly SeriesSummary[]): Table {
  const head = ['START', 'CALLS', 'SUCCESS', 'OTHER START', 'P50', 'P90', 'P95', 'P99', 'P99.9', 'MAX', 'MOST TIME IN'];
  return {
    title:
      'Latency at the client (ms), from when each call was meant to be sent; calls whose answer named the expected start',
    rows: [head, ...summaries.map(latencyRow)],
  };
}

function latencyRow(summary: SeriesSummary): string[] {
  const { p50, p90, p95, p99, p999, max } = summary.latencyMs;
  const { dominating } = summary;
  return [
    summary.name,
    String(summary.calls),
    percentage(summary.successRate),
    String(summary.otherStart),
    ...[p50, p90, p95, p99, p999, max].map(milliseconds),
    dominating === undefined ? '-' : `${dominating.phase} (${percentage(dominating.share)} of the p50)`,
  ];
}

function phaseTable(summaries: readonly SeriesSummary[]): Table | undefined {
  const phases = [...new Set(summaries.flatMap((summary) => Object.keys(summary.phasesP50Ms)))];
  if (phases.length === 0) return undefined;
  return {
    title: 'Phases by Server-Timing, p50 (ms); outside: what the client waited beyond the total of the server',
    rows: [
      ['START', ...phases],
      ...summaries.map(({ name, phasesP50Ms }) => [name, ...phases.map((phase) => milliseconds(phasesP50Ms[phase]))]),
    ],
  };
}

function ladderTable({ steps, p50BoundMs, knee }: Ladder): Table {
  const rate = knee.ratePerS === undefined ? 'below the first step' : `${knee.ratePerS}/s`;
  return {
    title: `${knee.reached ? 'Knee:' : 'No knee up to'} ${rate} (${knee.reason}; bound of the p50 ${p50BoundMs} ms)`,
    rows: [
      ['RATE', 'OFFERED', 'SUCCESS', 'P50', 'P99'],
      ...steps.map(({ ratePerS, offered, succeeded, p50Ms, p99Ms }) => [
        `${ratePerS}/s`,
        String(offered),
        percentage(offered === 0 ? undefined : succeeded / offered),
        milliseconds(p50Ms),
        milliseconds(p99Ms),
      ]),
    ],
  };
}

function sleepTable(sleeps: readonly Sleep[]): Table {
  const groups = Map.groupBy(sleeps, ({ series }) => series);
  return {
    title: 'Suspends: how long the client waited for one (ms, p50), and what it shipped (median)',
    rows: [
      ['BEFORE', 'SUSPENDS', 'P50', 'SHIPPED'],
      ...[...groups].map(([name, those]) => [
        name,
        String(those.length),
        milliseconds(median(those.map(({ durationMs }) => durationMs))),
        bytes(middle(those.flatMap(({ shippedBytes }) => shippedBytes ?? []))),
      ]),
    ],
  };
}

const middle = (values: readonly number[]): number | undefined =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];

function leakTables({ cycles, seconds, counts, memory, sources }: LeakReport): (Table | undefined)[] {
  const grown = (grew: boolean): string => (grew ? 'GREW' : 'no');
  return [
    {
      title: `At rest before and after ${cycles} cycles in ${seconds.toFixed(0)} s (${sources.join(', ')})`,
      rows: [
        ['WHAT', 'BEFORE', 'AFTER', 'ALLOWED MORE', 'GROWTH'],
        ...counts.map((one) => [one.name, ...[one.before, one.after, one.allowed].map(String), grown(one.grew)]),
      ],
    },
    memory.length === 0
      ? undefined
      : {
          title: 'Memory of the long-lived processes (resident MiB), trend by the median slope',
          rows: [
            ['PROCESS', 'FIRST', 'LAST', 'PER MINUTE', 'ALLOWED MORE', 'GROWTH'],
            ...memory.map((one) => [
              one.process,
              ...[one.firstMiB, one.lastMiB, one.slopeMiBPerMinute, one.allowedMiB].map((mib) => mib.toFixed(1)),
              grown(one.grew),
            ]),
          ],
        },
  ];
}
