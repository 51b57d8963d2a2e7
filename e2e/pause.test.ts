import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { callCounter, callTimes, otherNode, resumeOn, suspend } from './counter-calls.ts';
import { callSteadily } from './steady-calls.ts';
import { startPlatform, type Platform } from './platform.ts';

suite('pause', () => {
  let platform: Platform;
  before(async () => {
    platform = await startPlatform({ environment: { DORMOUSE_LEASE_MS: '3000' } });
    await platform.template('counter');
  });
  after(() => platform[Symbol.asyncDispose]());

  const pause = async (id: string): Promise<string> => {
    const operation = await platform.client.actors.pause(id, { waitMs: 60_000 });
    assert.equal(operation.state, 'done', JSON.stringify(operation.error));
    const { state, node } = await platform.client.actors.get(id);
    assert.equal(state, 'paused');
    assert.ok(node);
    return node;
  };

  test('a paused actor has no VM and no slot; a call wakes it on its node, as it was', async () => {
    const { client } = platform;
    await client.actors.create({ id: 'resting', template: 'counter' });
    const [first] = await callTimes(client, 'resting', 3);
    const node = await pause('resting');
    assert.ok((await client.nodes.list()).every(({ usedSlots, usedMemoryMiB }) => usedSlots + usedMemoryMiB === 0));
    const { then } = await client.actors.explain('resting');
    assert.match(then, new RegExp(`on node ${node} only; if the node dies it falls back to generation 0`));
    assert.equal((await client.actors.get('resting')).generation, 0, 'nothing was shipped');
    await pause('resting'); // again: it holds already

    await assert.rejects(client.actors.resume('resting', { node: otherNode(node) }), { code: 'state-conflict' });
    const { count, start } = await callCounter(client, 'resting');
    assert.deepEqual([count.memory, count.file, count.nonce, start], [4, 4, first?.count.nonce, 'warm']);
    const { node: again, capture } = await client.actors.get('resting');
    assert.deepEqual([again, capture], [node, undefined]);
  });

  test('a suspend of a paused actor ships it without waking it; it goes on elsewhere', async () => {
    const { client } = platform;
    const node = await pause('resting');
    await suspend(client, 'resting');
    assert.equal((await client.actors.get('resting')).generation, 1);
    const { events } = await client.actors.explain('resting');
    assert.deepEqual(
      events.slice(-4).map(({ state }) => state),
      ['pausing', 'paused', 'suspending', 'suspended'],
    );
    await resumeOn(client, 'resting', otherNode(node));
    const { count } = await callCounter(client, 'resting');
    assert.deepEqual([count.memory, count.file], [5, 5]);
  });

  test('no call is dropped by a suspend or a pause, whenever it comes, and each is counted once', () =>
    callSteadily(platform));

  test('a paused actor is deleted', async () => {
    const { client } = platform;
    await client.actors.create({ id: 'short-lived', template: 'counter' });
    await callCounter(client, 'short-lived');
    await pause('short-lived');
    assert.equal((await client.actors.delete('short-lived', { waitMs: 60_000 })).state, 'done');
    await assert.rejects(client.actors.get('short-lived'), { code: 'actor-not-found' });
  });

  test('when its node dies it falls back to its last generation, as explain said', async () => {
    const { client } = platform;
    await suspend(client, 'resting');
    await callTimes(client, 'resting', 2);
    const node = await pause('resting');
    assert.match((await client.actors.explain('resting')).then, /falls back to generation 2 of 20/);
    platform.stack.processes.get(node)?.signal('SIGKILL');
    await client.actors.wait('resting', 'suspended', { timeoutMs: 30_000 });
    const { count } = await callCounter(client, 'resting');
    assert.deepEqual([count.memory, count.file], [6, 6], 'the calls since generation 2 are gone');
  });
});
