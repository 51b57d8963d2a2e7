import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { until } from '../shared/process/until.ts';
import { callCounter, getJson } from './counter-calls.ts';
import { startPlatform } from './platform.ts';

suite('no room', () => {
  test('a call waits for room and is served when another actor has gone to sleep', async () => {
    await using platform = await startPlatform({
      environment: { DORMOUSE_NODES: '1', DORMOUSE_NODE_SLOTS: '1' },
    });
    const { client } = platform;
    await platform.template('counter', { name: 'dozer', idleTimeoutMs: 1500 });
    for (const id of ['first', 'second']) await client.actors.create({ id, template: 'dozer' });

    await callCounter(client, 'first');
    const busy = getJson(client, 'first', '/slow?ms=3000');
    const second = callCounter(client, 'second');
    const explained = async (): Promise<boolean> =>
      /1 call waits for it here/.test((await client.actors.explain('second')).waitsFor);
    await until(explained, { signal: AbortSignal.timeout(5000), everyMs: 50, what: 'the call to be parked' });
    await busy;
    assert.deepEqual([(await second).count.memory, (await second).start], [1, 'warm']);
    assert.equal((await client.actors.get('first')).generation, 1);

    // Back and forth: each wakes when the other one has gone.
    const answers = await Promise.all([callCounter(client, 'first'), callCounter(client, 'second')]);
    assert.deepEqual(
      answers.map(({ count }) => count.memory),
      [2, 2],
    );
  });
});
