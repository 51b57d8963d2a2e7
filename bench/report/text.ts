/** The report for people: every figure with its median, p95 and phases, then what the targets say. */
import Table from 'cli-table3';
import type { Figure, Report, Verdict } from './report.ts';

export const readable = (report: Report): string =>
  [header(report), figureTable(report.figures), verdictTable(report.verdicts), failures(report)]
    .filter((part) => part !== '')
    .join('\n\n');

function header({ machine, versions, commit, settings, startedAt }: Report): string {
  const { cpus, cpuModel, memoryMiB, platform, loadAverage } = machine;
  return [
    `${startedAt}, commit ${commit ?? 'unknown'}, ${settings.rounds} rounds of ${settings.cases.join(', ')}`,
    `${cpus} × ${cpuModel}, ${memoryMiB} MiB, ${platform}, load ${loadAverage.map((load) => load.toFixed(1)).join(' to ')}`,
    `Node.js ${versions.node}, ${versions.runtimes.join('; ')}`,
  ].join('\n');
}

function figureTable(figures: readonly Figure[]): string {
  const table = plainTable(['figure', 'median', 'p95', 'unit', 'n', 'phases (median)']);
  for (const { name, median, p95, unit, count, phases } of figures) {
    const parts = Object.entries(phases).map(([phase, spread]) => `${phase} ${short(spread.median)}`);
    table.push([name, short(median), short(p95), unit, count, parts.join(', ')]);
  }
  return table.toString();
}

function verdictTable(verdicts: readonly Verdict[]): string {
  const table = plainTable(['target', 'figure', 'ratio', 'wanted', '']);
  for (const { target, of, ratio, wanted, reached } of verdicts) {
    table.push([target, of, ratio?.toFixed(2) ?? '', wanted, wordsOf(reached)]);
  }
  return table.toString();
}

/** The same as docs/performance.md shows it: ratios only, because milliseconds say nothing about another machine. */
export function markdown({ verdicts }: Report): string {
  const lines = verdicts.map(
    ({ target, of, to, ratio, wanted, reached }) =>
      `| ${target} | ${of} | ${to ?? ''} | ${ratio?.toFixed(2) ?? ''} | ${wanted} | ${wordsOf(reached)} |`,
  );
  return ['| target | figure | beside | ratio | wanted | reached |', '|---|---|---|---|---|---|', ...lines].join('\n');
}

const failures = (report: Report): string =>
  report.failures.length === 0 ? '' : ['Failed:', ...report.failures].join('\n  ');

const wordsOf = (reached: boolean | undefined): string => (reached === undefined ? '' : reached ? 'yes' : 'no');

/** Whole numbers where a fraction says nothing. */
const short = (value: number): string => (value >= 100 ? String(Math.round(value)) : value.toFixed(1));

const plainTable = (head: string[]): Table.Table => new Table({ head, style: { head: [], border: [], compact: true } });
