/** The report as text. Milliseconds throughout; a dash is a figure that was not measured. */
import type { Report } from './report.ts';
import type { Ratio, SeriesSummary } from './summary.ts';

export function reportText(report: Report): string {
  const { summaries, ratios } = report;
  return [
    ...heading(report),
    '',
    'Latency at the client (ms), calls whose answer named the expected start',
    table([latencyHead, ...summaries.map(latencyRow)]),
    '',
    'Phases by Server-Timing, p50 (ms); outside: what the client waited beyond the total of the server',
    table(phaseRows(summaries)),
    ...(ratios.length === 0 ? [] : ['', 'Ratios of the p50', table(ratios.map(ratioRow))]),
    ...(report.preparations.length === 0 ? [] : ['', 'From POST of the template to ready (ms)', preparations(report)]),
    ...notes(report),
  ].join('\n');
}

function heading({ settings, machine, versions, commit, interrupted }: Report): string[] {
  const load = machine.loadAverage.map((value) => number(value)).join(' to ');
  return [
    `Dormouse load test: ${settings.scenario}, ${settings.rounds} rounds, template ${settings.templates.join(', ')}`,
    `${machine.cpus} × ${machine.cpuModel}, ${machine.memoryMiB} MiB, load ${load}, ${machine.platform}`,
    `Dormouse ${versions.api ?? '?'}, Node ${versions.node}, commit ${commit ?? '?'}, nodes ${versions.runtimes.join('; ')}`,
    ...(interrupted ? ['INTERRUPTED: these are the rounds until then'] : []),
  ];
}

const latencyHead = ['START', 'CALLS', 'SUCCESS', 'OTHER START', 'P50', 'P90', 'P95', 'P99', 'MAX', 'MOST TIME IN'];

function latencyRow(summary: SeriesSummary): string[] {
  const { p50, p90, p95, p99, max } = summary.latencyMs;
  const { dominating } = summary;
  return [
    summary.name,
    String(summary.calls),
    percentage(summary.successRate),
    String(summary.otherStart),
    ...[p50, p90, p95, p99, max].map(number),
    dominating === undefined ? '-' : `${dominating.phase} (${percentage(dominating.share)} of the p50)`,
  ];
}

function phaseRows(summaries: readonly SeriesSummary[]): string[][] {
  const phases = [...new Set(summaries.flatMap((summary) => Object.keys(summary.phasesP50Ms)))];
  return [
    ['START', ...phases],
    ...summaries.map(({ name, phasesP50Ms }) => [name, ...phases.map((phase) => number(phasesP50Ms[phase]))]),
  ];
}

const ratioRow = ({ of, to, value }: Ratio): string[] => [
  `${of} / ${to}`,
  value === undefined ? '-' : value.toFixed(2),
];

const preparations = (report: Report): string =>
  table(report.preparations.map(({ template, file, readyMs }) => [`${template} (${file})`, number(readyMs)]));

/** Below this many calls the 99th percentile is the slowest call by definition. */
const callsForP99 = 100;

function notes({ summaries, notes: given, samples }: Report): string[] {
  const few = summaries.filter((summary) => summary.counted > 0 && summary.counted < callsForP99);
  const errors = new Map<string, number>();
  for (const { series, error } of samples) {
    if (error !== undefined) {
      const line = `${series} failed: ${error.message} (${error.code})`;
      errors.set(line, (errors.get(line) ?? 0) + 1);
    }
  }
  const lines = [
    ...given,
    ...(few.length === 0
      ? []
      : [`fewer than ${callsForP99} calls: the P99 is the slowest one (${few.map(({ name }) => name).join(', ')})`]),
    ...[...errors].map(([line, count]) => `${count} × ${line}`),
  ];
  return lines.length === 0 ? [] : ['', ...lines.map((line) => `- ${line}`)];
}

const number = (value: number | undefined): string =>
  value === undefined ? '-' : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);

const percentage = (value: number | undefined): string => (value === undefined ? '-' : `${(value * 100).toFixed(1)}%`);

/** The first column to the left, figures to the right, words at the end to the left again. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const isFigure = /^[-\d.%]+$/;
  const pad = (cell: string, column: number, row: number): string => {
    const figures = rows.slice(1).some((other) => isFigure.test(other[column] ?? ''));
    const right = column > 0 && (isFigure.test(cell) || (row === 0 && figures));
    return right ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
  };
  return rows
    .map((row, index) =>
      row
        .map((cell, column) => pad(cell, column, index))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
