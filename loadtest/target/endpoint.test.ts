/** The real program against an HTTP server that is no Dormouse, put to sleep and woken by real commands. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { execa } from 'execa';
import { startStubApi } from '../../sdk/stub-api.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { readResult } from '../result/result.ts';

/** A start of Node on a busy machine takes seconds. */
const limitMs = 60_000;

const program = path.join(import.meta.dirname, '../main.ts');

/** Asleep is a file that is not there; while it is not, the server answers as a gateway does. */
async function endpoint(context: TestContext) {
  const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-endpoint-'));
  context.after(() => removeTree(folder, tmpdir()));
  const awake = (number: string): string => path.join(folder, `awake-${number}`);
  for (const number of ['1', '2']) await writeFile(awake(number), '');
  const api = await startStubApi(async ({ line }) => {
    const number = /app-(\d)/.exec(line)?.[1] ?? '';
    const isAwake = await readFile(awake(number)).then(
      () => true,
      () => false,
    );
    return isAwake ? { body: 'ok', headers: { 'server-timing': 'work;dur=1' } } : { status: 503 };
  });
  context.after(() => api[Symbol.asyncDispose]());
  const file = path.join(folder, 'result.json');
  const commands = {
    sleep: ['--sleep-command', JSON.stringify(['rm', '-f', awake('{n}')])],
    wake: ['--wake-command', JSON.stringify(['touch', awake('{n}')])],
  };
  const run = async (...words: string[]) => {
    const url = ['--plain', '--url', `${api.url}/app-{n}/`, '--json', file];
    const { exitCode, stdout, stderr } = await execa(process.execPath, [program, ...url, ...words], {
      reject: false,
      timeout: limitMs,
    });
    return { exitCode, stdout, stderr, result: await readResult(file).catch(() => undefined) };
  };
  return { run, commands };
}

suite('any endpoint that scales to zero', { concurrency: 2 }, () => {
  test('warm calls are woken by the command, hot ones are not, each endpoint has its number', async (context) => {
    const { run, commands } = await endpoint(context);
    const words = ['--scenario', 'burst', '--actors', '2', '--rounds', '2', ...commands.sleep, ...commands.wake];
    const { result, exitCode, stderr } = await run(...words);
    assert.equal(exitCode, 0, stderr);
    const [burst] = result?.summaries ?? [];
    assert.deepEqual([burst?.calls, burst?.counted, burst?.expects], [4, 4, 'warm']);
    assert.deepEqual(new Set(result?.samples.map(({ actor }) => actor)), new Set(['1', '2']));
    assert.ok((burst?.phasesP50Ms['work'] ?? 0) > 0, 'its own Server-Timing is read');
    assert.deepEqual(result?.looks, [], 'nothing of Dormouse was asked for');
  });

  test('without a wake command the call itself must wake it, and is told when it does not', async (context) => {
    const { run, commands } = await endpoint(context);
    const words = ['--scenario', 'warm', '--rounds', '1', '--warm-up', '0', ...commands.sleep];
    const { result, exitCode, stdout } = await run(...words);
    assert.equal(exitCode, 1);
    assert.equal(result?.summaries[0]?.succeeded, 0);
    assert.match(stdout, /1 × warm failed: .*\(http-503\)/);
  });

  test('what only Dormouse can do, and what is missing, is said at once', async (context) => {
    const { run } = await endpoint(context);
    const [memory, warm] = await Promise.all([run('--scenario', 'memory'), run('--scenario', 'warm', '--rounds', '1')]);
    assert.deepEqual([memory.exitCode, warm.exitCode], [2, 2]);
    assert.match(memory.stderr, /memory works with Dormouse only/);
    assert.match(warm.stderr, /--sleep-command: needed/);
  });
});
