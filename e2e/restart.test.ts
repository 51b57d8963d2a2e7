import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test } from 'node:test';
import { execa } from 'execa';
import { until } from '../shared/process/until.ts';
import { removeTree } from '../shared/process/remove-tree.ts';
import { findLeftovers } from '../infra/test/leftovers.ts';
import { lookAround } from '../infra/test/surroundings.ts';
import { createClient } from '../sdk/client.ts';
import { callCounter, callTimes, suspend } from './counter-calls.ts';
import { isOurs, makeHome, startPlatform } from './platform.ts';

const nodes = ['node-1', 'node-2'];

suite('stopping, crashing and starting again', () => {
  test('a crash of everything loses nothing committed and leaves nothing after the next start', async () => {
    const home = await makeHome();
    const before = await lookAround(home);
    {
      const platform = await startPlatform({ home });
      await platform.template('counter');
      const { client } = platform;
      for (const id of ['kept', 'lost']) await client.actors.create({ id, template: 'counter' });
      await callTimes(client, 'kept', 3);
      await suspend(client, 'kept');
      await callTimes(client, 'kept', 2);
      await callTimes(client, 'lost', 2);
      await platform.stack.kill9();
    }
    {
      await using platform = await startPlatform({ home });
      const { client } = platform;
      // The node is up a moment before it has led its predecessor's actors out.
      const { state, generation, reason } = await client.actors.wait('kept', 'suspended', { timeoutMs: 10_000 });
      assert.deepEqual([state, generation], ['suspended', 1]);
      assert.match(reason, /restarted/);
      assert.equal((await callCounter(client, 'kept')).count.memory, 4, 'it goes on from its last generation');
      assert.equal((await callCounter(client, 'lost')).count.memory, 1, 'it never slept, so it starts from the golden');
    }
    {
      // A graceful stop suspended both: nothing that was counted is lost.
      await using platform = await startPlatform({ home });
      const { client } = platform;
      assert.equal((await client.actors.get('lost')).generation, 1);
      assert.equal((await callCounter(client, 'kept')).count.memory, 5);
      assert.equal((await callCounter(client, 'lost')).count.memory, 2);
    }
    await removeTree(home, tmpdir());
    assert.deepEqual(
      (await findLeftovers(home, before)).filter((left) => isOurs(left, home, nodes)),
      [],
    );
  });

  test('npm start shows its main job, and Ctrl-C takes everything down', async () => {
    const home = await makeHome();
    const before = await lookAround(home);
    const started = execa('npm', ['start'], {
      env: { DORMOUSE_HOME: home, DORMOUSE_PORT: '0', DORMOUSE_ASSETS: path.resolve('.dormouse/assets') },
      all: true,
      reject: false,
      detached: true,
    });
    let output = '';
    started.all.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const limit = { signal: AbortSignal.timeout(180_000), everyMs: 50 };
    await until(() => /curl \S+/.test(output), { ...limit, what: `the curl line in:\n${output}` });
    const url = /https?:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
    assert.ok(url, output);
    const client = createClient({ url });
    await client.actors.create({ id: 'first', template: 'counter' });
    assert.equal((await callCounter(client, 'first')).count.memory, 1);
    process.kill(-(started.pid ?? 0), 'SIGINT'); // as a terminal does: the whole group at once
    const { exitCode } = await started;
    assert.ok(exitCode === 0 || exitCode === 130, `${String(exitCode)}: ${output}`);
    assert.deepEqual(
      (await findLeftovers(home, before)).filter((left) => left.kind !== 'file'),
      [],
    );
    await removeTree(home, tmpdir());
  });
});
