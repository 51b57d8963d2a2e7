import assert from 'node:assert/strict';
import { cp, rename } from 'node:fs/promises';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { Redis } from 'ioredis';
import { incarnationOf } from '../shared/actor/epoch.ts';
import { until } from '../shared/process/until.ts';
import type { Actor } from '../sdk/actor-shapes.ts';
import { DormouseApiError } from '../sdk/api-error.ts';
import { createClient } from '../sdk/client.ts';
import type { Operation } from '../sdk/operations.ts';
import { callCounter, callTimes, getJson, suspend } from './counter-calls.ts';
import { vmsOf } from './vm-states.ts';
import { startPlatform, type Platform } from './platform.ts';

/** A short lease keeps the waiting short: nodes notice at a third of it that the registry forgot them. */
const leaseMs = 3000;

suite('a registry that was lost', () => {
  let platform: Platform;
  before(async () => {
    platform = await startPlatform({ environment: { DORMOUSE_LEASE_MS: String(leaseMs) } });
    await platform.template('counter');
    for (const id of ['sleeper', 'fresh']) await platform.client.actors.create({ id, template: 'counter' });
    for (let generation = 0; generation < 2; generation++) {
      await callTimes(platform.client, 'sleeper', 2);
      await suspend(platform.client, 'sleeper');
    }
  });
  after(() => platform[Symbol.asyncDispose]());

  const limit = (what: string) => ({ signal: AbortSignal.timeout(60_000), everyMs: 50, what });

  /** While the registry is read back, and while nodes are asked, the api says 503 and that a retry helps. */
  async function patiently<Result>(what: string, ask: () => Promise<Result>): Promise<Result> {
    let result: { readonly value: Result } | undefined;
    const answered = async (): Promise<boolean> => {
      try {
        result = { value: await ask() };
        return true;
      } catch (error) {
        if (error instanceof DormouseApiError && error.retryable) return false;
        throw error;
      }
    };
    await until(answered, limit(what));
    assert.ok(result);
    return result.value;
  }

  const count = async (id: string): Promise<number> => {
    const { client } = platform;
    await patiently(`${id} to wake`, () => client.actors.resume(id, { waitMs: 60_000 }));
    return (await callCounter(client, id)).count.memory;
  };
  const kept = ({ id, template, revision, generation, durableAt, sizes, createdAt, memoryMiB }: Actor) => ({
    ...{ id, template, revision, generation, durableAt, sizes, createdAt, memoryMiB },
  });

  async function flush(): Promise<void> {
    const redis = new Redis(platform.stack.config.redisUrl);
    try {
      await redis.flushall();
    } finally {
      redis.disconnect();
    }
  }

  test('emptied while nothing runs: everything durable is there again', async () => {
    const { client } = platform;
    const before = await Promise.all(['sleeper', 'fresh'].map((id) => client.actors.get(id)));
    await flush();
    const found = await Promise.all(
      before.map(({ id }) => patiently(`${id} to be restored`, () => client.actors.get(id))),
    );
    assert.deepEqual(found.map(kept), before.map(kept));
    assert.equal((await client.templates.get('counter')).state, 'ready');
    assert.equal(await count('sleeper'), 5);
    assert.equal(await count('fresh'), 1);
    const { epoch } = await client.actors.get('sleeper');
    assert.ok(incarnationOf(epoch ?? '') > incarnationOf(before[0]?.epoch ?? ''), 'no epoch is given out again');
  });

  test('emptied while actors run: their nodes take them back, nothing is lost, and each runs once', async () => {
    const { client } = platform;
    await suspend(client, 'sleeper');
    await callTimes(client, 'sleeper', 2);
    const before = await Promise.all(['sleeper', 'fresh'].map(async (id) => (await client.actors.get(id)).epoch));
    await flush();
    // Both ran: the last generations count 5 and 0, the activations 7 and 1.
    assert.deepEqual([await count('sleeper'), await count('fresh')], [8, 2]);
    assert.equal(vmsOf(platform.home).length, 2);
    const epochs = await Promise.all(['sleeper', 'fresh'].map(async (id) => (await client.actors.get(id)).epoch));
    assert.deepEqual(epochs, before, 'they are the activations that ran before');
    await suspend(client, 'sleeper');
    await suspend(client, 'fresh');
    assert.equal((await client.actors.get('sleeper')).generation, 4);
  });

  test('rolled back to an older copy: the newest generation, no deleted actor, no epoch twice', async () => {
    const { client, home } = platform;
    const counted = await count('sleeper');
    await suspend(client, 'sleeper');
    await client.actors.create({ id: 'doomed', template: 'counter' });
    const folder = path.join(home, 'redis');
    await cp(path.join(folder, 'appendonlydir'), path.join(folder, 'older'), { recursive: true });
    await callTimes(client, 'sleeper', 2);
    await suspend(client, 'sleeper');
    const { epoch: epochBefore } = await client.actors.get('sleeper');
    await client.actors.delete('doomed', { waitMs: 60_000 });
    await client.actors.create({ id: 'later', template: 'counter' });

    platform.stack.processes.get('redis')?.signal('SIGKILL'); // restarted in a quarter of a second
    await rename(path.join(folder, 'appendonlydir'), path.join(folder, 'newer'));
    await rename(path.join(folder, 'older'), path.join(folder, 'appendonlydir'));

    assert.equal(await count('sleeper'), counted + 3);
    await until(
      async () => (await client.actors.get('doomed').catch((error: unknown) => error)) instanceof DormouseApiError,
      limit('the deleted actor to be forgotten'),
    );
    assert.equal((await patiently('the later actor', () => client.actors.get('later'))).generation, 0);
    const { epoch } = await client.actors.get('sleeper');
    assert.ok(incarnationOf(epoch ?? '') > incarnationOf(epochBefore ?? ''));
  });

  test('an operator may ask for it at any time', async () => {
    const answer = await fetch(`${platform.url}/v1/admin/rebuild`, { method: 'POST', headers: { prefer: 'wait=30' } });
    const operation = (await answer.json()) as Operation;
    assert.deepEqual([answer.status, operation.state], [200, 'done']);
    const { known, restored, removed, damaged } = operation.counts ?? {};
    assert.deepEqual([known, restored, removed, damaged], [3, 0, 0, 0]);
  });

  test('one id in several namespaces is as many actors, each with its own memory, and all come back as such', async () => {
    const { url, client } = platform;
    const [red, blue] = ['red', 'blue'].map((namespace) => createClient({ url, namespace, retries: 0 }));
    assert.ok(red && blue);
    const { spec } = await client.templates.get('counter');
    await red.templates.apply(spec);
    await red.templates.waitReady('counter', { timeoutMs: 120_000 });
    for (const each of [red, blue]) await each.actors.create({ id: 'sleeper', template: 'counter' });
    const [[first], other] = await Promise.all([callTimes(red, 'sleeper', 2), callCounter(blue, 'sleeper')]);
    assert.notEqual(first?.count.nonce, other.count.nonce, 'equal templates of two namespaces have a golden each');
    const { id, namespace, template } = await getJson(red, 'sleeper', '/identity');
    assert.deepEqual([id, namespace, template], ['sleeper', 'red', 'counter']);
    await Promise.all([suspend(red, 'sleeper'), suspend(blue, 'sleeper')]);
    const before = await Promise.all([red, blue].map((each) => each.actors.get('sleeper')));
    await flush();
    for (const [at, each] of [red, blue].entries()) {
      const found = await patiently('it to be restored', () => each.actors.get('sleeper'));
      assert.deepEqual(kept(found), kept(before[at] ?? found));
      await patiently('it to wake', () => each.actors.resume('sleeper', { waitMs: 60_000 }));
    }
    assert.equal((await callCounter(red, 'sleeper')).count.memory, 3);
    assert.equal((await callCounter(blue, 'sleeper')).count.memory, 2);
    const missing = await blue.actors.get('fresh').catch((error: unknown) => error);
    assert.ok(missing instanceof DormouseApiError && missing.code === 'actor-not-found');
  });
});
