import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { after, before, suite, test } from 'node:test';
import { execa } from 'execa';
import { Redis } from 'ioredis';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import { openObjectStore } from '../../shared/object-store/open.ts';
import { until } from '../../shared/process/until.ts';
import { ensureIncarnation } from '../../shared/registry/incarnation.ts';
import { openRedisRegistry } from '../../shared/registry/redis/driver.ts';
import type { ActorRecord, NodeRecord } from '../../shared/registry/records.ts';
import type { Registry } from '../../shared/registry/registry.ts';
import { appendEntry, readHead } from '../../shared/snapshot/actor-log.ts';
import { createLogger } from '../../shared/telemetry/logger.ts';
import { createActivationTable, type Activation } from '../activation/activation.ts';
import type { NodeContext } from '../node-context.ts';
import { readmitAll } from './readmit.ts';

const log = createLogger('silent', {});
const soon = (what: string) => ({ signal: AbortSignal.timeout(10_000), everyMs: 5, what });
const nodeId = 'node-1';
const runtime: NodeRecord['runtime'] = {
  arch: 'amd64',
  vmm: 'qemu',
  vmmVersion: '10',
  accelerator: 'tcg',
  machine: 'q35',
  cpuModel: 'max',
  kernel: '6',
  agent: 'a',
};

suite('readmission after a freeze', () => {
  const resources = new AsyncDisposableStack();
  let registry: Registry;
  let store: ObjectStore;
  let context: NodeContext;
  let client: Redis;

  before(async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-readmit-'));
    resources.defer(() => rm(folder, { recursive: true }));
    const socket = path.join(folder, 'redis.sock');
    const options = ['--port', '0', '--unixsocket', socket, '--save', ''];
    const redis = execa('setpriv', ['--pdeathsig', 'KILL', '--', 'redis-server', ...options], {
      reject: false,
      cwd: folder,
    });
    resources.defer(async () => {
      redis.kill('SIGKILL');
      await redis;
    });
    registry = openRedisRegistry(socket, log);
    resources.defer(() => registry.close());
    store = await openObjectStore(pathToFileURL(path.join(folder, 'store')).href);
    resources.defer(() => store.close());
    await ensureIncarnation(registry, store);
    client = new Redis(socket);
    resources.defer(() => client.disconnect());
    await furnish();
    // Of a node's parts only these are looked at.
    context = { nodeId, registry, store, activations: createActivationTable(), log } as unknown as NodeContext;
  });
  after(() => resources.disposeAsync());

  /** The node and the template, which a registry that was emptied gets again from the node itself and from the rebuild. */
  async function furnish(): Promise<void> {
    const room = { slots: 20, memoryMiB: 8192, startedAt: new Date().toISOString() };
    const node = { id: nodeId, bootId: 'b', state: 'ready', ingressUrl: 'http://127.0.0.1:1', runtime } as const;
    await registry.announceNode({ ...node, ...room }, 60_000);
    const spec = { name: 't', containers: [{ name: 'main', image: 'oci:/x:y' }] };
    const now = new Date().toISOString();
    const template = { name: 't', revision: 'r', spec, state: 'ready', since: now, createdAt: now };
    await registry.createTemplate(template as unknown as Parameters<Registry['createTemplate']>[0]);
  }

  const openPlacement = async (): Promise<boolean> => registry.openPlacement((await registry.life()).incarnation);

  /** An actor that the registry has running here, and the activation of it, whose sandbox writes down what is done to it. */
  async function running(id: string) {
    const now = new Date().toISOString();
    const uid = randomUUID();
    const created = { kind: 'created', uid, id, template: 't', revision: 'r', labels: {}, coldStart: false } as const;
    await appendEntry(store, id, 0, created);
    const record: ActorRecord = {
      ...{ id, uid, template: 't', revision: 'r', state: 'suspended', since: now, createdAt: now, labels: {} },
      ...{ memoryMiB: 64, coldStart: false, generation: 0, generationSeq: 1, logSeq: 1, durableAt: now, reason: 'x' },
    };
    assert.equal(await registry.createActor(record), 'created');
    await openPlacement();
    const claim = await registry.claim(id, nodeId, 60_000, 'test');
    assert.ok(claim.outcome === 'claimed');
    const { epoch } = claim;
    await registry.transition({ id, from: ['resuming'], to: 'running', epoch, reason: 'test' });
    const done: string[] = [];
    const sandbox = {
      wake: () => Promise.resolve(void done.push('wake')),
      [Symbol.asyncDispose]: () => Promise.resolve(void done.push('end')),
    };
    const identity = { id, uid, template: 't', revision: 'r', epoch, generation: 0, node: nodeId };
    const template = { spec: { memoryMiB: 64 } };
    const activation = { identity, epoch, sandbox, template, connections: new Agent() } as unknown as Activation;
    context.activations.add(activation);
    const fence = {
      letRun: () => void done.push('run'),
      readmit: () => void done.push('readmit'),
    };
    const readmit = (over: Partial<NodeContext> = {}, signal = AbortSignal.timeout(10_000)): Promise<void> =>
      readmitAll({ ...context, ...over }, fence, [activation], signal);
    return { id, uid, epoch, record, activation, done, readmit };
  }

  test('an actor that nobody touched runs on: first its processes, then its clock, then its callers', async () => {
    const actor = await running('same');
    await actor.readmit();
    assert.deepEqual(actor.done, ['run', 'wake', 'readmit']);
    assert.equal((await registry.getActor('same'))?.state, 'running');
  });

  test('one whose log was fenced ends without having run, and is asleep afterwards', async () => {
    const actor = await running('fenced');
    const entry = { kind: 'fence', uid: actor.uid, fencedEpoch: actor.epoch, fencedNode: nodeId, reason: 'x' } as const;
    await appendEntry(store, 'fenced', 1, entry);
    await actor.readmit();
    assert.deepEqual(actor.done, ['end']);
    const record = await registry.getActor('fenced');
    assert.deepEqual([record?.state, record?.generation, record?.logSeq], ['suspended', 0, 2]);
  });

  test('one that the registry gave to a newer activation ends, and that one is left alone', async () => {
    const actor = await running('overtaken');
    const move = { id: 'overtaken', from: ['running'], to: 'suspended', epoch: actor.epoch, reason: 'x' } as const;
    await registry.transition(move);
    const next = await registry.claim('overtaken', nodeId, 60_000, 'test');
    await actor.readmit();
    assert.deepEqual(actor.done, ['end']);
    const record = await registry.getActor('overtaken');
    assert.deepEqual([record?.state, record?.epoch], ['resuming', next.outcome === 'claimed' && next.epoch]);
    assert.equal((await readHead(store, 'overtaken')).last?.kind, 'created', 'its log is not fenced');
  });

  test('one that a suspend has in hand goes on where it was; its callers are not let in', async () => {
    const actor = await running('in-hand');
    const move = {
      id: 'in-hand',
      from: ['running'],
      to: 'suspending',
      epoch: actor.epoch,
      deadlineMs: 60_000,
    } as const;
    await registry.transition({ ...move, reason: 'x' });
    await actor.readmit();
    assert.deepEqual(actor.done, ['run', 'readmit']);
  });

  test('while the store does not answer it stays frozen; a lease that lapses again ends the asking', async () => {
    const actor = await running('unknown');
    let asked = 0;
    const head = (): Promise<never> => {
      asked++;
      return Promise.reject(new Error('no answer'));
    };
    // eslint-disable-next-line require-yield -- a listing that fails before its first object
    const list = async function* (): AsyncGenerator<never> {
      await head();
    };
    const lapse = new AbortController();
    const asking = actor.readmit({ store: { ...store, head, list } }, lapse.signal);
    await until(() => asked >= 2, soon('a second question'));
    lapse.abort();
    await asking;
    assert.deepEqual(actor.done, []);
    assert.ok(context.activations.get('unknown'), 'it is judged again with the next lease');
  });

  /** The registry forgets everything and begins a new life; nothing has been read back from the store yet. */
  async function forget(): Promise<void> {
    await client.flushall();
    await ensureIncarnation(registry, store);
    await furnish();
    await assert.rejects(registry.getActor('nobody'), { code: 'registry-unavailable' });
  }

  test('one that the registry has forgotten is offered back, and runs on with its room', async () => {
    const actor = await running('forgotten');
    const entry = {
      kind: 'fence',
      uid: actor.uid,
      fencedEpoch: '1.0',
      fencedNode: nodeId,
      reason: 'long ago',
    } as const;
    await appendEntry(store, 'forgotten', 1, entry);
    await forget();
    await actor.readmit();
    assert.deepEqual(actor.done, ['run', 'wake', 'readmit']);
    const record = await registry.getActor('forgotten');
    assert.deepEqual([record?.state, record?.epoch, record?.node], ['running', actor.epoch, nodeId]);
    assert.deepEqual([record?.uid, record?.logSeq, record?.labels], [actor.uid, 2, {}]);
    const node = await registry.getNode(nodeId);
    assert.deepEqual([node?.usedSlots, node?.usedMemoryMiB], [1, 64]);
    await openPlacement();
    const claim = await registry.claim('forgotten', nodeId, 60_000, 'test');
    assert.deepEqual(claim, { outcome: 'refused', state: 'running' });
  });

  test('a registry that has no life yet is asked until it has one; the VM stands still meanwhile', async () => {
    const actor = await running('early');
    await client.flushall();
    const readmitted = actor.readmit();
    await until(async () => (await client.exists('{dm}:actor:early')) === 1, soon('the first offer'));
    assert.deepEqual(actor.done, []);
    await ensureIncarnation(registry, store);
    await readmitted;
    assert.deepEqual(actor.done, ['run', 'wake', 'readmit']);
    await furnish();
  });

  test('one that an older copy of the registry has paused elsewhere runs on here, at the head of its log', async () => {
    const old = await running('older');
    const step = { id: 'older', epoch: old.epoch, reason: 'x' } as const;
    await registry.transition({ ...step, from: ['running'], to: 'pausing', deadlineMs: 60_000 });
    await registry.transition({ ...step, from: ['pausing'], to: 'paused' });
    const copy = await client.dumpBuffer('{dm}:actor:older');
    await registry.transition({ ...step, from: ['paused'], to: 'suspended' });
    // What the copy does not know: the actor was fenced, and woke again.
    const fence = { kind: 'fence', uid: old.uid, fencedEpoch: old.epoch, fencedNode: nodeId, reason: 'x' } as const;
    await appendEntry(store, 'older', 1, fence);
    const epoch = `${old.epoch}7`;
    Object.assign(old.activation, { epoch });
    await client.restore('{dm}:actor:older', 0, copy, 'REPLACE');
    await client.sadd(`{dm}:node:${nodeId}:paused`, 'older');
    await old.readmit();
    assert.deepEqual(old.done, ['run', 'wake', 'readmit']);
    const record = await registry.getActor('older');
    assert.deepEqual([record?.state, record?.epoch, record?.logSeq], ['running', epoch, 2]);
    assert.equal(await client.sismember(`{dm}:node:${nodeId}:paused`, 'older'), 0);
  });

  test('one that the registry forgot and then gave to another activation ends without having run', async () => {
    const actor = await running('too-late');
    await forget();
    const { record } = actor;
    await registry.restoreActor(record);
    await openPlacement();
    const next = await registry.claim('too-late', nodeId, 60_000, 'test');
    assert.ok(next.outcome === 'claimed');
    await actor.readmit();
    assert.deepEqual(actor.done, ['end']);
    const now = await registry.getActor('too-late');
    assert.deepEqual([now?.state, now?.epoch], ['resuming', next.epoch]);
  });

  test('one that was forgotten, and whose log says that it is over, ends without having run', async () => {
    const [fenced, deleted] = [await running('over'), await running('deleted')];
    await appendEntry(store, 'over', 1, {
      ...{ kind: 'fence', uid: fenced.uid, fencedEpoch: fenced.epoch, fencedNode: nodeId, reason: 'x' },
    });
    await appendEntry(store, 'deleted', 1, { kind: 'deleted', uid: deleted.uid });
    await forget();
    await Promise.all([fenced.readmit(), deleted.readmit()]);
    assert.deepEqual([fenced.done, deleted.done], [['end'], ['end']]);
    await registry.markRebuilt((await registry.life()).incarnation);
    assert.equal(await registry.getActor('deleted'), undefined);
  });
});
