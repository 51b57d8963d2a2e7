/** Where results go: a table to standard output, and files of the person's choice. */
import { writeFile } from 'node:fs/promises';
import { screenshot } from './browser.ts';
import type { Configuration } from './config.ts';
import { comparisonPage } from './html/comparison-page.ts';
import { resultPage } from './html/result-page.ts';
import { comparisonTable, compareResults, phaseComparisonTable } from './result/comparison.ts';
import { readResult, resultSchema, type RunResult } from './result/result.ts';
import { headingOf, resultText, tableText } from './result/text.ts';

type Outputs = Pick<Configuration, 'json' | 'html' | 'png' | 'chromium'>;

/** What is written is what a reader will accept: the schema is asked before anything is. */
export async function writeResult(outputs: Outputs, result: RunResult): Promise<void> {
  process.stdout.write(`${resultText(result)}\n`);
  const checked = resultSchema.parse(result);
  if (outputs.json !== undefined) await writeFile(outputs.json, `${JSON.stringify(checked, null, 1)}\n`);
  await writePage(outputs, () => resultPage(result));
}

export async function writeComparison(outputs: Outputs, [first, second]: readonly [string, string]): Promise<void> {
  const [a, b] = await Promise.all([readResult(first), readResult(second)]);
  const comparison = compareResults(a, b);
  const tables = [comparisonTable(comparison), phaseComparisonTable(comparison)];
  const lines = [
    ...[`a  ${first}`, ...headingOf(a).map((line) => `   ${line}`)],
    ...[`b  ${second}`, ...headingOf(b).map((line) => `   ${line}`)],
    ...tables.flatMap(({ title, rows }) => ['', title, tableText(rows)]),
    ...(comparison.notes.length === 0 ? [] : ['', ...comparison.notes.map((note) => `- ${note}`)]),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  await writePage(outputs, () => comparisonPage(a, b, comparison));
}

async function writePage({ html, png, chromium }: Outputs, make: () => string): Promise<void> {
  if (html === undefined && png === undefined) return;
  const page = make();
  if (html !== undefined) await writeFile(html, page);
  if (png !== undefined) await writeFile(png, await screenshot(page, chromium));
}
