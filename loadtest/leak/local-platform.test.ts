import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test } from 'node:test';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { until } from '../../shared/process/until.ts';
import { countLocal, localProcesses } from './local-platform.ts';

suite('what a platform holds on this machine', () => {
  test('a process is found by its command line, its environment or its folder, with its memory, until it ends', async (context) => {
    const home = await mkdtemp(path.join(tmpdir(), 'dormouse-home-'));
    context.after(() => removeTree(home, tmpdir()));
    assert.equal((await countLocal(home))['processes'], 0);
    const children = [
      spawn('sleep', ['600'], { env: { DORMOUSE_HOME: home } }),
      spawn('sleep', ['600'], { env: {}, cwd: home }),
      spawn('tail', ['-f', '/dev/null', `--pid=${process.pid}`, path.join(home, 'x')], { env: {}, stdio: 'ignore' }),
    ];
    await Promise.all(children.map((child) => once(child, 'spawn')));
    const limit = { signal: AbortSignal.timeout(10_000), everyMs: 20, what: 'all to be seen' };
    await until(async () => (await countLocal(home))['processes'] === 3, limit);
    const found = await localProcesses(home);
    assert.deepEqual(found.map(({ name }) => name.split(' ')[0]).sort(), ['sleep', 'sleep', 'tail']);
    assert.ok(found.every(({ rssMiB }) => rssMiB > 0));
    assert.ok(((await countLocal(home))['descriptors'] ?? 0) >= 4);
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(children.map((child) => once(child, 'exit')));
    await until(async () => (await countLocal(home))['processes'] === 0, { ...limit, what: 'all to be gone' });
  });

  test('another home is not this one, even if it begins alike', async (context) => {
    const other = '/tmp/dormouse-home-other';
    const child = spawn('tail', ['-f', '/dev/null', `--pid=${process.pid}`, other], { env: { DORMOUSE_HOME: other } });
    context.after(() => child.kill('SIGKILL'));
    await once(child, 'spawn');
    const limit = { signal: AbortSignal.timeout(10_000), everyMs: 20, what: 'it to be seen' };
    await until(async () => (await localProcesses(other)).length === 1, limit);
    assert.deepEqual(await localProcesses('/tmp/dormouse-home'), []);
  });
});
