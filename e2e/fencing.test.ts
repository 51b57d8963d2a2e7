/** A node that is cut off, stopped, killed or drained: its actors never run twice, and a pause costs a pause. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { after, afterEach, before, suite, test } from 'node:test';
import { until } from '../shared/process/until.ts';
import { callCounter, callTimes, otherNode, resumeOn, suspend } from './counter-calls.ts';
import { startPlatform, type Platform } from './platform.ts';
import { sampleVms, vmsOf } from './vm-states.ts';

const leaseMs = 3000;
const patience = (what: string, limitMs = 30_000) => ({ signal: AbortSignal.timeout(limitMs), everyMs: 20, what });

suite('fencing', () => {
  let platform: Platform;
  before(async () => {
    platform = await startPlatform({ environment: { DORMOUSE_LEASE_MS: String(leaseMs) } });
    await platform.template('counter');
  });
  after(() => platform[Symbol.asyncDispose]());
  // With one actor at a time, two running VMs are two activations.
  afterEach(async () => {
    const { client, home } = platform;
    for await (const { id } of client.actors.list()) await client.actors.delete(id, { waitMs: 30_000 });
    await until(() => vmsOf(home).length === 0, patience('the VMs to end'));
    await until(async () => {
      const nodes = await client.nodes.list();
      return nodes.every((node) => node.leaseMs > 2000 && node.state === 'ready');
    }, patience('both nodes to be up'));
  });

  const nodeOf = async (id: string): Promise<string> => (await platform.client.actors.get(id)).node ?? '';

  test('Redis away for longer than a lease: frozen in time, goes on where it was, never runs twice', async () => {
    const { client, home, stack } = platform;
    await client.actors.create({ id: 'paused', template: 'counter' });
    const before = await callTimes(client, 'paused', 3);
    const { epoch } = await client.actors.get('paused');
    await using sampling = sampleVms(home);
    const stoppedAt = performance.now();
    stack.processes.get('redis')?.signal('SIGSTOP');
    await until(() => vmsOf(home).every(({ state }) => state === 'stopped'), patience('the VMs to be frozen'));
    const frozenAfterMs = performance.now() - stoppedAt;
    assert.ok(frozenAfterMs < leaseMs * 0.75, `frozen ${frozenAfterMs} ms after Redis stopped`);
    await delay(leaseMs * 1.5 - frozenAfterMs); // every lease has run out in Redis, which cannot tell
    assert.equal(vmsOf(home).length, 1);
    stack.processes.get('redis')?.signal('SIGCONT');
    const { count } = await callCounter(client, 'paused');
    assert.deepEqual([count.memory, count.nonce], [4, before[0]?.count.nonce], 'nothing it counted is lost');
    assert.equal((await client.actors.get('paused')).epoch, epoch);
    await suspend(client, 'paused');
    assert.equal((await callCounter(client, 'paused')).count.memory, 5, 'it can still commit');
    assert.equal(sampling.mostAtOnce, 1);
  });

  test('a stopped worker: its VM is frozen and gone before its lease ends, the actor wakes from its last generation', async () => {
    const { client, home, stack } = platform;
    await client.actors.create({ id: 'stalled', template: 'counter' });
    await callTimes(client, 'stalled', 3);
    await suspend(client, 'stalled');
    await callTimes(client, 'stalled', 2);
    const node = await nodeOf('stalled');
    await using sampling = sampleVms(home);
    const worker = stack.processes.get(node);
    const workerPid = worker?.pid;
    worker?.signal('SIGSTOP');
    await until(() => vmsOf(home).every(({ state }) => state === 'stopped'), patience('the VM to be frozen'));
    await until(() => vmsOf(home).length === 0, patience('the VM to be gone'));
    const record = (await client.nodes.list()).find(({ id }) => id === node);
    assert.ok((record?.leaseMs ?? 0) > 0, 'others could not have taken over yet');
    await until(() => worker?.pid !== workerPid, patience('the stopped worker to be killed'));
    await until(async () => (await client.actors.get('stalled')).state === 'suspended', patience('it to fall back'));
    const { count } = await callCounter(client, 'stalled');
    assert.equal(count.memory, 4, 'it goes on from its last generation');
    assert.equal(sampling.mostAtOnce, 1);
  });

  test('a worker killed under traffic: no two activations, no answer from the dead', async () => {
    const { client, home, stack } = platform;
    await client.actors.create({ id: 'busy', template: 'counter' });
    await callTimes(client, 'busy', 2);
    await suspend(client, 'busy');
    await callTimes(client, 'busy', 3);
    const node = await nodeOf('busy');
    await using sampling = sampleVms(home);
    await using resources = new AsyncDisposableStack();
    const stop = new AbortController();
    const histories: number[][] = Array.from({ length: 4 }, () => []);
    const traffic = histories.map(async (history) => {
      while (!stop.signal.aborted) {
        // A call under way when the node dies fails; it is not repeated for the caller.
        const answer = await callCounter(client, 'busy').catch(() => undefined);
        if (answer !== undefined) history.push(answer.count.memory);
      }
    });
    resources.defer(async () => {
      stop.abort();
      await Promise.all(traffic);
    });
    const all = (): number[] => histories.flat();
    await until(() => all().length > 20, patience('traffic'));
    stack.processes.get(node)?.signal('SIGKILL');
    const before = all().length;
    await until(() => all().includes(3), patience('the actor to go on from its last generation'));
    await until(() => all().length > before + 20, patience('traffic'));
    await resources.disposeAsync();
    const [first, second] = splitAtFallBack(histories);
    for (const counts of [first, second]) {
      assert.equal(new Set(counts).size, counts.length, 'no count was given out twice by one activation');
    }
    assert.equal(Math.min(...second), 3);
    assert.equal(sampling.mostAtOnce, 1);
  });

  test('a drained node suspends its actors and gets no more; undrained it does', async () => {
    const { client } = platform;
    const ids = ['d-1', 'd-2', 'd-3'];
    for (const id of ids) {
      await client.actors.create({ id, template: 'counter' });
      await resumeOn(client, id, 'node-1');
      await callTimes(client, id, 2);
    }
    assert.equal((await client.nodes.drain('node-1')).state, 'draining');
    await until(async () => {
      const node = (await client.nodes.list()).find(({ id }) => id === 'node-1');
      return node?.state === 'draining' && node.usedSlots === 0;
    }, patience('the node to be empty'));
    for (const id of ids) {
      const { state, generation } = await client.actors.get(id);
      assert.deepEqual([state, generation], ['suspended', 1]);
      assert.equal((await callCounter(client, id)).count.memory, 3);
      assert.equal(await nodeOf(id), otherNode('node-1'));
    }
    await assert.rejects(
      client.actors.resume('d-1', { node: 'node-1' }).then(async () => resumeOn(client, 'd-1', 'node-1')),
    );
    assert.equal((await client.nodes.undrain('node-1')).state, 'ready');
    await suspend(client, 'd-1');
    await resumeOn(client, 'd-1', 'node-1');
    assert.equal((await callCounter(client, 'd-1')).count.memory, 4);
  });
});

/** What each caller was told before and after the count fell, which it does once. */
function splitAtFallBack(histories: readonly (readonly number[])[]): [number[], number[]] {
  const first: number[] = [];
  const second: number[] = [];
  for (const history of histories) {
    const fall = history.findIndex((count, index) => count < (history[index - 1] ?? 0));
    const [before, after] = [history.slice(0, fall), history.slice(fall)];
    for (const part of [before, after]) {
      assert.deepEqual(
        part,
        part.toSorted((a, b) => a - b),
        'a count only ever falls at the fall back',
      );
    }
    first.push(...before);
    second.push(...after);
  }
  return [first, second];
}
