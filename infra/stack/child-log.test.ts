import assert from 'node:assert/strict';
import { mkdtemp, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { suite, test, type TestContext } from 'node:test';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { openChildLog, warningIn, type LogWarning } from './child-log.ts';
import { summariseWarnings } from './warnings.ts';

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-log-'));
  context.after(() => removeTree(folder, tmpdir()));
  return folder;
}

suite('logs of child processes', () => {
  test('every line is kept, the last 20 are at hand, warnings are handed on', async (context) => {
    const folder = await temporaryFolder(context);
    const warnings: LogWarning[] = [];
    const log = await openChildLog(folder, 'api', (warning) => warnings.push(warning));
    const lines = Array.from({ length: 30 }, (_, index) => `{"level":30,"msg":"line ${index}"}`);
    const source = Readable.from(
      [...lines, '{"level":50,"msg":"store failed","err":{"message":"no route"}}'].map((line) => `${line}\n`),
    );
    log.follow(source);
    await finished(source);
    await log.close();
    assert.equal((await readFile(path.join(folder, 'api.log'), 'utf8')).trimEnd().split('\n').length, 31);
    assert.equal(log.tail().length, 20);
    assert.deepEqual(warnings, [{ from: 'api', level: 'error', message: 'store failed: no route' }]);
  });

  test('a log that has grown is set aside, one that has not is continued', async (context) => {
    const folder = await temporaryFolder(context);
    const file = path.join(folder, 'api.log');
    await writeFile(file, 'small\n');
    await (await openChildLog(folder, 'api', () => undefined)).close();
    assert.equal(await readFile(file, 'utf8'), 'small\n');
    await truncate(file, 8 * 1024 * 1024 + 1);
    await (await openChildLog(folder, 'api', () => undefined)).close();
    assert.equal((await stat(`${file}.1`)).size, 8 * 1024 * 1024 + 1);
    assert.equal(await readFile(file, 'utf8'), '');
  });

  test('plain text and broken JSON are no warnings', () => {
    for (const line of ['Error: boom', '{"level":50', '{"level":"50","msg":"x"}', '{"level":30,"msg":"x"}', '']) {
      assert.equal(warningIn(line, 'api'), undefined, line);
    }
    assert.deepEqual(warningIn('{"level":40}', 'api'), { from: 'api', level: 'warn', message: 'no message' });
  });
});

test('a repeated warning is shown once per window, then with the number of those held back', () => {
  const shown: string[] = [];
  let now = 0;
  const take = summariseWarnings(
    (line) => shown.push(line),
    () => now,
  );
  const warning: LogWarning = { from: 'node-1', level: 'warn', message: 'slow store' };
  for (let count = 0; count < 5; count += 1) take(warning);
  take({ ...warning, from: 'node-2' });
  assert.deepEqual(shown, ['node-1: warn: slow store', 'node-2: warn: slow store']);
  now = 30_000;
  take(warning);
  assert.equal(shown[2], 'node-1: warn: slow store (and 4 times since it was last shown)');
});
