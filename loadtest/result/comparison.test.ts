import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test } from 'node:test';
import { sampleResult } from '../html/sample-result.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { comparisonTable, compareResults } from './comparison.ts';
import { readResult, type RunResult } from './result.ts';

const a = sampleResult();

suite('the comparison of two runs', () => {
  test('of a run with itself is 1 throughout, and has nothing to warn of', () => {
    const { series, notes } = compareResults(a, a);
    assert.deepEqual(
      series.map(({ name, p50Ratio, p99Ratio }) => [name, p50Ratio, p99Ratio]),
      a.summaries.map(({ name }) => [name, 1, 1]),
    );
    assert.deepEqual(notes, []);
  });

  test('is above 1 where the second takes longer', () => {
    const slower: RunResult = {
      ...a,
      summaries: a.summaries.map((summary) => ({ ...summary, latencyMs: { p50: 2 * (summary.latencyMs.p50 ?? 0) } })),
    };
    const comparison = compareResults(a, slower);
    assert.ok(comparison.series.every(({ p50Ratio, p99Ratio }) => p50Ratio === 2 && p99Ratio === undefined));
    assert.equal(comparisonTable(comparison).rows[1]?.[5], '2.00 ×');
  });

  test('names what else differs, and what only one of them has', () => {
    const other: RunResult = {
      ...a,
      machine: { ...a.machine, cpus: 64 },
      settings: { ...a.settings, rounds: 5, url: 'http://elsewhere' },
      summaries: a.summaries.slice(1),
    };
    const { notes } = compareResults(a, other);
    assert.equal(notes.length, 3, notes.join('\n'));
    assert.match(
      notes.join('\n'),
      /differ in machine: 2 × .* against 64 × .*\n.*--rounds: 20 against 5\nonly a has cold/,
    );
  });
});

test('a result of another version, or no result at all, is refused by its name', async (context) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-result-'));
  context.after(() => removeTree(folder, tmpdir()));
  const file = path.join(folder, 'r.json');
  await writeFile(file, JSON.stringify({ ...a, schemaVersion: 1 }));
  await assert.rejects(readResult(file), { code: 'invalid-input', message: /r\.json is no result.*schemaVersion/s });
  await writeFile(file, 'nonsense');
  await assert.rejects(readResult(file), { code: 'invalid-input' });
  await writeFile(file, JSON.stringify(a));
  assert.equal((await readResult(file)).summaries.length, a.summaries.length);
});
