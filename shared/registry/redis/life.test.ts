import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, suite, test } from 'node:test';
import { execa } from 'execa';
import { Redis } from 'ioredis';
import { until } from '../../process/until.ts';
import type { RuntimeKey } from '../../snapshot/manifest.ts';
import { openSampleStore, type SampleStore } from '../../snapshot/sample-log.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { ensureIncarnation, openWhenAnnounced } from '../incarnation.ts';
import { announcePresence } from '../node-presence.ts';
import type { ActorRecord, NodeRecord } from '../records.ts';
import type { Registry } from '../registry.ts';
import { openRedisRegistry } from './driver.ts';

const now = (): string => new Date().toISOString();
const leaseMs = 60_000;

function actor(id: string, fields: Partial<ActorRecord> = {}): ActorRecord {
  return {
    ...{ id, uid: randomUUID(), template: 't', revision: 'r', state: 'suspended', since: now(), createdAt: now() },
    ...{ labels: {}, memoryMiB: 256, coldStart: false, generation: 0, generationSeq: 1, logSeq: 1 },
    ...{ durableAt: now(), reason: 'test' },
    ...fields,
  };
}

const runtime: RuntimeKey = {
  ...{ arch: 'amd64', vmm: 'qemu', vmmVersion: '10', accelerator: 'tcg' },
  ...{ machine: 'q35', cpuModel: 'max', kernel: '6', agent: 'a' },
};
const node = (id: string, bootId: string): NodeRecord => ({
  ...{ id, bootId, state: 'ready', ingressUrl: 'http://127.0.0.1:1', runtime },
  ...{ slots: 4, memoryMiB: 4096, startedAt: now() },
});

suite('the registry’s lives on a real Redis', () => {
  let folder: string;
  let socket: string;
  let server: ReturnType<typeof startServer> | undefined;
  let registry: Registry;
  let redis: Redis;
  let sample: SampleStore;
  const startServer = () =>
    execa(
      'setpriv',
      [
        ...['--pdeathsig', 'KILL', '--', 'redis-server', '--port', '0', '--unixsocket', socket],
        ...['--save', '', '--appendonly', 'yes', '--appendfsync', 'always', '--dir', folder],
      ],
      { reject: false },
    );
  const restart = async (): Promise<void> => {
    server?.kill('SIGKILL');
    await server;
    server = startServer();
    const answers = async (): Promise<boolean> => (await redis.ping().catch(() => '')) === 'PONG';
    await until(answers, { signal: AbortSignal.timeout(10_000), everyMs: 20, what: 'Redis' });
  };
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dormouse-life-'));
    socket = path.join(folder, 'redis.sock');
    redis = new Redis(socket, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    redis.on('error', () => undefined);
    registry = openRedisRegistry(socket, createLogger('silent', {}));
    await restart();
  });
  beforeEach(async () => {
    await redis.flushall();
    sample = await openSampleStore();
  });
  afterEach(() => sample[Symbol.asyncDispose]());
  after(async () => {
    await registry.close();
    redis.disconnect();
    server?.kill('SIGKILL');
    await server;
    await rm(folder, { recursive: true });
  });

  const begin = (): Promise<number> => ensureIncarnation(registry, sample.store, { leaseMs });
  const claim = (id: string) => registry.claim(id, 'n', 60_000, 'test');

  test('the first life is open at once; a restarted Redis is closed, and its next life repeats no epoch', async () => {
    assert.equal(await begin(), 1);
    await registry.announceNode(node('n', 'b1'), leaseMs);
    await registry.restoreActor(actor('a'));
    assert.deepEqual(await claim('a'), { outcome: 'claimed', epoch: '1.1' });
    await registry.transition({ id: 'a', from: ['resuming'], to: 'suspended', epoch: '1.1', reason: 'test' });

    await restart();
    assert.equal((await registry.life()).current, false);
    assert.deepEqual(await claim('a'), { outcome: 'closed', opensInMs: undefined });
    assert.equal(await registry.mayActivate('1.1'), false, 'a job that came back with Redis is not done');
    assert.equal(await begin(), 2);
    assert.equal(await registry.renewLease('n', 'b1', leaseMs), 'gone', 'a node must announce itself again');
    const closed = await claim('a');
    assert.ok(closed.outcome === 'closed' && (closed.opensInMs ?? 0) > 0, JSON.stringify(closed));
    await assert.rejects(registry.getActor('nobody'), { code: 'registry-unavailable' });
    await registry.markRebuilt(1);
    assert.equal((await registry.life()).rebuilt, false, 'another life’s rebuild does not count');
    await registry.markRebuilt(2);
    assert.equal(await registry.getActor('nobody'), undefined);
    await registry.announceNode(node('n', 'b1'), leaseMs);
    await registry.openPlacement(2);
    assert.deepEqual(await claim('a'), { outcome: 'claimed', epoch: '2.2' });
    assert.equal((await registry.getActor('a'))?.unfenced, true, 'its first activation must fence');
  });

  test('20 processes that find Redis empty begin one life', async () => {
    await begin();
    await redis.flushall();
    const begun = await Promise.all(Array.from({ length: 20 }, begin));
    assert.equal(new Set(begun).size, 1);
    assert.ok((begun[0] ?? 0) > 1);
  });

  test('a start that an earlier life ordered does not become an activation', async () => {
    await begin();
    await registry.announceNode(node('n', 'b1'), leaseMs);
    await registry.restoreActor(actor('a'));
    await claim('a');
    await restart();
    const run = { id: 'a', from: ['resuming'], to: 'running', epoch: '1.1', reason: 'test' } as const;
    assert.equal((await registry.transition(run)).outcome, 'refused');
    await begin();
    assert.equal((await registry.transition(run)).outcome, 'refused');
  });

  test('placement opens when every node that may run something has announced itself', async () => {
    const { store } = sample;
    await begin();
    await using first = await announcePresence(store, { nodeId: 'n', bootId: 'b1', deadBootId: undefined, leaseMs });
    await using _second = await announcePresence(store, { nodeId: 'm', bootId: 'c1', deadBootId: undefined, leaseMs });
    await redis.flushall();
    await begin();
    await registry.announceNode(node('m', 'c1'), leaseMs);
    assert.equal(await openWhenAnnounced(registry, store), false, 'n is silent');
    await registry.announceNode(node('n', 'b0'), leaseMs);
    assert.equal(await openWhenAnnounced(registry, store), false, 'another boot speaks for n');
    await first[Symbol.asyncDispose]();
    assert.equal(await openWhenAnnounced(registry, store), true, 'n has stopped');
    assert.equal((await registry.life()).closedMs, 0);
  });

  test('a folder that does not know the boot before it waits out a lease', async () => {
    const { store } = sample;
    const presence = { nodeId: 'n', bootId: 'b1', deadBootId: undefined, leaseMs: 300 };
    await announcePresence(store, presence);
    const beganAt = performance.now();
    await announcePresence(store, { ...presence, bootId: 'b2', deadBootId: 'b1' });
    const knownMs = performance.now() - beganAt;
    await announcePresence(store, { ...presence, bootId: 'b3' });
    const unknownMs = performance.now() - beganAt - knownMs;
    assert.ok(knownMs < 300 && unknownMs >= 299, `${knownMs} ${unknownMs}`);
  });

  test('a node takes back what it still runs, unless that activation is over', async () => {
    await begin();
    await redis.flushall();
    await begin();
    const held = { id: 'a', uid: randomUUID(), epoch: '1.7', node: 'n' };
    assert.equal(await registry.readopt(held, {}), 'absent');
    await registry.restoreActor(actor('a', { uid: held.uid, epoch: '1.6' }));
    assert.equal(await registry.readopt({ ...held, uid: randomUUID() }, {}), 'refused', 'another life of the id');
    assert.equal(
      await registry.readopt({ ...held, epoch: '1.6' }, {}),
      'refused',
      'its generation or its fence stands',
    );
    assert.equal(await registry.readopt(held, {}), 'readopted');
    assert.equal(await registry.readopt(held, {}), 'readopted', 'a repeated call is told so too');
    const record = await registry.getActor('a');
    assert.deepEqual([record?.state, record?.epoch, record?.node], ['running', '1.7', 'n']);
    await registry.announceNode(node('n', 'b1'), leaseMs);
    const status = await registry.getNode('n');
    assert.deepEqual([status?.usedSlots, status?.usedMemoryMiB], [1, 256]);
    assert.equal(
      await registry.readopt({ ...held, epoch: '1.5', node: 'm' }, {}),
      'refused',
      'an older one of another node',
    );
    assert.equal(await registry.readopt({ ...held, epoch: '1.10', node: 'm' }, {}), 'readopted', 'a later one wins');
    assert.deepEqual([(await registry.getNode('n'))?.usedSlots, await registry.actorsOnNode('m')], [0, ['a']]);
  });

  test('what is taken back leaves the place that an older copy had it in, at the log’s head', async () => {
    await begin();
    for (const id of ['n', 'm']) await registry.announceNode(node(id, 'b'), leaseMs);
    await registry.openPlacement((await registry.life()).incarnation);
    const uid = randomUUID();
    await registry.restoreActor(actor('a', { uid }));
    await registry.claim('a', 'm', 60_000, 'test');
    const epoch = (await registry.getActor('a'))?.epoch ?? '';
    const step = { id: 'a', epoch, reason: 'test' } as const;
    await registry.transition({ ...step, from: ['resuming'], to: 'running' });
    await registry.transition({ ...step, from: ['running'], to: 'pausing', deadlineMs: 1000 });
    const capture = { epoch, capturedAt: now(), sizeBytes: 1 };
    await registry.transition({ ...step, from: ['pausing'], to: 'paused', update: { capture } });
    const later = `${epoch}9`;
    const held = { id: 'a', uid, epoch: later, node: 'n' };
    assert.equal(await registry.readopt(held, { generation: 3, generationSeq: 5, logSeq: 6 }), 'readopted');
    const record = await registry.getActor('a');
    assert.deepEqual([record?.state, record?.node, record?.capture], ['running', 'n', undefined]);
    assert.deepEqual([record?.generation, record?.generationSeq, record?.logSeq], [3, 5, 6]);
    assert.deepEqual([await registry.actorsOnNode('m'), await registry.actorsOnNode('n')], [[], ['a']]);
    const used = await Promise.all(['n', 'm'].map(async (id) => (await registry.getNode(id))?.usedMemoryMiB));
    assert.deepEqual(used, [256, 0]);
    await registry.transition({ id: 'a', from: ['running'], to: 'suspended', epoch: later, reason: 'test' });
    assert.deepEqual((await registry.getNode('n'))?.usedMemoryMiB, 0);
  });

  test('nothing is taken back before the new life has begun, nor placed before a node said what it runs', async () => {
    const { store } = sample;
    await begin();
    await using _node = await announcePresence(store, { nodeId: 'n', bootId: 'b1', deadBootId: undefined, leaseMs });
    await redis.flushall();
    const uid = randomUUID();
    await registry.restoreActor(actor('a', { uid }));
    assert.equal(await registry.readopt({ id: 'a', uid, epoch: '1.7', node: 'n' }, {}), 'absent');
    await begin();
    assert.equal(await registry.retakeLease(node('n', 'b1'), leaseMs), true);
    assert.equal(await openWhenAnnounced(registry, store), false);
    await registry.settleNode('n');
    assert.equal(await openWhenAnnounced(registry, store), true);
  });

  test('a later entry of the log is never replaced by an earlier one, of whichever life of the id', async () => {
    await begin();
    await registry.restoreActor(actor('a', { logSeq: 9 }));
    assert.equal(await registry.restoreActor(actor('a', { logSeq: 4 })), 'known');
    assert.equal((await registry.getActor('a'))?.logSeq, 9);
  });

  test('what was given out in this life is never taken back by an older activation', async () => {
    await begin();
    await redis.flushall();
    await begin();
    const uid = randomUUID();
    await registry.restoreActor(actor('a', { uid }));
    await registry.announceNode(node('n', 'b1'), leaseMs);
    await registry.openPlacement(2);
    assert.equal((await claim('a')).outcome, 'claimed');
    assert.equal(await registry.readopt({ id: 'a', uid, epoch: '1.99', node: 'm' }, {}), 'refused');
  });

  test('an actor is put back once, brought up to a later log, and left alone while it runs', async () => {
    await begin();
    const old = actor('a', { generation: 1, logSeq: 2 });
    assert.equal(await registry.restoreActor(old), 'restored');
    assert.equal(await registry.restoreActor(old), 'known');
    assert.equal(await registry.restoreActor({ ...old, generation: 2, logSeq: 3, template: 'u' }), 'updated');
    assert.equal(await registry.restoreActor(old), 'known', 'never back');
    assert.equal((await registry.getActor('a'))?.generation, 2);
    const listed = async (template: string) => (await registry.listActors({ template }, 10)).items.length;
    assert.deepEqual([await listed('t'), await listed('u')], [0, 1]);
    await registry.announceNode(node('n', 'b1'), leaseMs);
    await claim('a');
    assert.equal(await registry.restoreActor({ ...old, logSeq: 9 }), 'known');
    assert.equal(await registry.restoreActor({ ...old, uid: randomUUID(), logSeq: 9 }), 'busy');
    assert.equal((await registry.getActor('a'))?.state, 'resuming');
  });
});
