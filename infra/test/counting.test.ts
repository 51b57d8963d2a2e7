import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { lastLine } from './counts.ts';
import { countGoEvents, parseGoEvents } from './go-tests.ts';
import { runNodeTests } from './node-tests.ts';

async function runFile(context: TestContext, source: string, runLimitMs = 30_000) {
  const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-count-'));
  context.after(() => removeTree(folder, tmpdir()));
  const file = path.join(folder, 'sample.test.mjs');
  await writeFile(file, `import { suite, test } from 'node:test';\n${source}`);
  const environment = { PATH: process.env['PATH'] ?? '', NODE_OPTIONS: '' };
  return runNodeTests(
    { files: [file], concurrency: 1, testLimitMs: 20_000, runLimitMs, environment, folder, show: false },
    'sample',
  );
}

suite('counting results of the node test runner', () => {
  test('tests in suites and subtests count once, skipped ones are neither', async (context) => {
    const source = `suite('s', () => { test('a', () => {}); test('b', { skip: 'no KVM' }, () => {}); });
      test('c', () => { throw new Error('expected by the test of the runner'); });`;
    assert.deepEqual(await runFile(context, source), { passed: 1, failed: 1, skipped: 1 });
  });

  test('a file that cannot be loaded is a failure', async (context) => {
    assert.deepEqual(await runFile(context, `import './missing.mjs';`), { passed: 0, failed: 1, skipped: 0 });
  });

  test('a file that never ends is a failure at the limit', async (context) => {
    const counts = await runFile(context, `test('a', () => {}); setInterval(() => {}, 1000);`, 3_000);
    assert.equal(counts.failed, 1);
  });
});

test('Go events are counted per test, not per package, and compiler messages survive', () => {
  const output = [
    'assets/x.go:3: undefined: y',
    '{"Action":"run","Test":"TestA"}',
    '{"Action":"pass","Test":"TestA"}',
    '{"Action":"fail","Test":"TestB"}',
    '{"Action":"skip","Test":"TestC"}',
    '{"Action":"fail","Package":"p"}',
  ].join('\n');
  const events = parseGoEvents(output);
  assert.deepEqual(countGoEvents(events), { passed: 1, failed: 1, skipped: 1 });
  assert.equal(events[0]?.Output, 'assets/x.go:3: undefined: y\n');
});

test('the last line is what programs look for', () => {
  assert.equal(lastLine({ passed: 12, failed: 0, skipped: 3 }), '12 passed, 0 failed');
});
