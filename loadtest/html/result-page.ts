/** One run as a page: what matters most as tiles, then the figures, then every table. */
import { milliseconds, percentage } from '../result/figures.ts';
import type { RunResult } from '../result/result.ts';
import { tablesOf } from '../result/tables.ts';
import { headingOf, notesOf } from '../result/text.ts';
import { figures, heading, notes, page, paragraphs, tableMarkup, tiles, title, type Tile } from './page.ts';
import {
  callsFigure,
  colorsOf,
  distributionFigure,
  ladderFigures,
  leakFigures,
  metricFigures,
  nodeFigures,
  percentileFigure,
  shippedFigure,
  waterfallFigures,
} from './result-figures.ts';

export function resultPage(result: RunResult): string {
  const { summaries } = result;
  const colorOf = colorsOf(summaries);
  const platform = [
    ...shippedFigure(result, colorOf),
    ...nodeFigures(result),
    ...leakFigures(result),
    ...metricFigures(result),
  ];
  const phases = waterfallFigures(summaries, colorOf);
  return page(`Load test: ${result.scenario}`, [
    title(`Load test: ${result.scenario}`),
    paragraphs(headingOf(result)),
    tiles(tilesOf(result)),
    heading('Latency'),
    figures([
      ...percentileFigure(summaries, colorOf),
      ...distributionFigure(summaries, colorOf),
      ...callsFigure(result, colorOf),
      ...ladderFigures(result),
    ]),
    ...(phases.length === 0 ? [] : [heading('Where the time goes'), figures(phases)]),
    ...(platform.length === 0 ? [] : [heading('The platform meanwhile'), figures(platform)]),
    heading('All figures'),
    ...tablesOf(result).map(tableMarkup),
    notes(notesOf(result)),
  ]);
}

function tilesOf({ summaries, ladder }: RunResult): Tile[] {
  const colorOf = colorsOf(summaries);
  if (ladder !== undefined) {
    const { ratePerS, reached } = ladder.knee;
    const value = ratePerS === undefined ? 'none' : `${reached ? '' : '≥ '}${ratePerS}/s`;
    return [{ value, label: reached ? 'knee of the ladder' : 'last step of the ladder, no knee yet', color: 0 }];
  }
  return summaries.map(({ name, latencyMs, successRate }) => ({
    value: `${milliseconds(latencyMs.p50)} ms`,
    label: `${name} · p50 · ${percentage(successRate)} succeeded`,
    color: colorOf(name),
  }));
}
