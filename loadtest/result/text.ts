/** The report as text. Milliseconds throughout; a dash is a figure that was not measured. */
import type { RunResult } from './result.ts';
import { tablesOf } from './tables.ts';

export const resultText = (result: RunResult): string =>
  [
    ...headingOf(result),
    ...tablesOf(result).flatMap(({ title, rows }) => ['', title, tableText(rows)]),
    ...noteLines(result),
  ].join('\n');

/** What was measured, on what. */
export function headingOf({ scenario, settings, templates, machine, versions, ...result }: RunResult): string[] {
  const load = machine.loadAverage.map((value) => value.toFixed(2)).join(' to ');
  const what = templates.length === 0 ? String(settings['url']) : `template ${templates.join(', ')}`;
  const nodes = versions.runtimes.length === 0 ? '' : `, nodes ${versions.runtimes.join('; ')}`;
  return [
    `Load test: ${scenario}, ${what}, ${result.startedAt}, ${result.discarded} calls of the warm-up discarded`,
    `${machine.cpus} × ${machine.cpuModel}, ${machine.memoryMiB} MiB, load ${load}, ${machine.platform}`,
    `Dormouse ${versions.api ?? '?'}, Node ${versions.node}, commit ${result.commit ?? '?'}${nodes}`,
    ...(result.interrupted ? ['INTERRUPTED: these are the calls until then'] : []),
  ];
}

const noteLines = (result: RunResult): string[] => {
  const lines = notesOf(result);
  return lines.length === 0 ? [] : ['', ...lines.map((line) => `- ${line}`)];
};

/** Below this many calls the 99th percentile is the slowest call by definition. */
const callsForP99 = 100;
/** A generator that sends this late measures itself; what it adds stands in the latency. */
const worthSayingLateMs = 20;

export function notesOf({ summaries, notes, samples }: RunResult): string[] {
  const few = summaries.filter((summary) => summary.counted > 0 && summary.counted < callsForP99);
  const late = samples.filter(({ lateMs = 0 }) => lateMs > worthSayingLateMs).length;
  const errors = new Map<string, number>();
  for (const { series, error } of samples) {
    if (error === undefined) continue;
    const line = `${series} failed: ${error.message} (${error.code})`;
    errors.set(line, (errors.get(line) ?? 0) + 1);
  }
  return [
    ...notes,
    ...(few.length === 0
      ? []
      : [`fewer than ${callsForP99} calls: the P99 is the slowest one (${few.map(({ name }) => name).join('; ')})`]),
    ...(late === 0
      ? []
      : [`${late} calls were sent more than ${worthSayingLateMs} ms late; their latency includes that`]),
    ...[...errors].map(([line, count]) => `${count} × ${line}`),
  ];
}

export const isFigure = (cell: string): boolean => /^-$|^-?[\d.]+( ?(%|×|\/s|B|[KMGT]iB))?$/.test(cell);

/** The first column to the left, figures to the right, words at the end to the left again. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number, row: number): string => {
    const figures = rows.slice(1).some((other) => isFigure(other[column] ?? ''));
    const right = column > 0 && (isFigure(cell) || (row === 0 && figures));
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
