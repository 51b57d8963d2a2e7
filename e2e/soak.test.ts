/** A minute of wakes and suspends on two nodes: the platform at rest holds afterwards what it held before. */
import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test } from 'node:test';
import { execa } from 'execa';
import { readResult } from '../loadtest/result/result.ts';
import { removeTree } from '../shared/process/remove-tree.ts';
import { startPlatform } from './platform.ts';

/** Long enough for a leak of one thing a cycle to be plain, short enough for every run of the tests. */
const churnSeconds = 60;
const limitMs = 240_000;

// For the platform's processes. On a large machine a collector takes its time, and a minute ends before it has begun; with
// a small heap it comes often, and what still grows is held by somebody.
process.env['NODE_OPTIONS'] = '--max-old-space-size=120 --max-semi-space-size=8';

suite('a soak', () => {
  test('nothing grows while actors wake and sleep', { timeout: limitMs + 60_000 }, async (t) => {
    await using resources = new AsyncDisposableStack();
    const folder = await mkdtemp(path.join(tmpdir(), 'dm-soak-'));
    resources.defer(() => removeTree(folder, tmpdir()));
    await using platform = await startPlatform();
    await platform.template('counter');
    const file = path.join(folder, 'churn.json');
    const load = ['--scenario', 'churn', '--actors', '3', '--duration', String(churnSeconds), '--json', file];
    const sources = ['--local', '--home', platform.home, '--redis-url', platform.stack.config.redisUrl];
    const store = ['--store', `file://${path.join(platform.home, 'store')}`];
    const ended = await execa(
      process.execPath,
      ['loadtest/main.ts', '--url', platform.url, ...load, ...sources, ...store],
      { reject: false, timeout: limitMs },
    );
    t.diagnostic(ended.stdout);
    const { leaks, summaries } = await readResult(file);
    assert.ok(leaks, ended.stderr);
    const grown = [...leaks.counts, ...leaks.memory].filter(({ grew }) => grew);
    assert.deepEqual(grown, [], ended.stdout);
    assert.equal(ended.exitCode, 0, ended.stderr);
    assert.ok(leaks.cycles >= 10, `only ${leaks.cycles} cycles`);
    assert.equal(summaries[0]?.successRate, 1);
    const looked = leaks.counts.map(({ name }) => name);
    for (const name of [
      'processes',
      'descriptors',
      'network namespaces',
      'mounts',
      'lasting Redis keys',
      'store objects',
    ]) {
      assert.ok(looked.includes(name), `${name} were counted`);
    }
    const processes = leaks.memory.map(({ process: name }) => name.split(' ')[0]);
    for (const name of ['api/main.ts', 'worker/main.ts', 'redis-server']) assert.ok(processes.includes(name), name);
  });
});
