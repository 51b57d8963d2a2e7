/** Two runs as a page: the ratios, both distributions of each series, where the difference comes from. */
import { ratio } from '../result/figures.ts';
import { comparisonTable, phaseComparisonTable, type Compared, type Comparison } from '../result/comparison.ts';
import type { RunResult } from '../result/result.ts';
import { headingOf } from '../result/text.ts';
import { lineChart, type Line } from './line-chart.ts';
import { figures, heading, notes, page, paragraphs, tableMarkup, tiles, title, type Figure } from './page.ts';

/** The two runs, on the whole page. */
const colors = { a: 0, b: 1 } as const;

export function comparisonPage(a: RunResult, b: RunResult, comparison: Comparison): string {
  const { series } = comparison;
  return page('Load test: two runs', [
    title('Load test: two runs'),
    paragraphs(headingOf(a).map((line) => `a: ${line}`)),
    paragraphs(headingOf(b).map((line) => `b: ${line}`)),
    tiles(
      series.map(({ name, p50Ratio }) => ({
        value: ratio(p50Ratio),
        label: `${name} · p50 of b / a`,
        color: tileColor(p50Ratio),
      })),
    ),
    heading('Distributions'),
    figures(series.map(distributions)),
    heading('All figures'),
    tableMarkup(comparisonTable(comparison)),
    tableMarkup(phaseComparisonTable(comparison)),
    notes(comparison.notes),
  ]);
}

/** The colour of the run that was faster. */
const tileColor = (p50Ratio: number | undefined): number =>
  p50Ratio !== undefined && p50Ratio < 1 ? colors.b : colors.a;

function distributions({ name, a, b }: Compared): Figure {
  const line = (run: 'a' | 'b', { curve }: Compared['a']): Line => ({
    name: run,
    color: colors[run],
    points: curve.map(([percent, ms]) => [ms, percent]),
    dashed: run === 'b',
  });
  const lines = [line('a', a), line('b', b)];
  const svg = lineChart({
    x: { label: 'milliseconds', kind: 'log' },
    y: { label: '% of calls', from: 0, to: 100 },
    lines,
  });
  const explanation = 'How many percent of the calls took at most so long; further left is faster.';
  return { title: name, explanation, legend: lines.map(({ name: run, color }) => ({ name: run, color })), svg };
}
