import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { after, before, suite, test } from 'node:test';
import { execa } from 'execa';
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
    const room = { slots: 20, memoryMiB: 8192, startedAt: new Date().toISOString() };
    const node = { id: nodeId, bootId: 'b', state: 'ready', ingressUrl: 'http://127.0.0.1:1', runtime } as const;
    await registry.announceNode({ ...node, ...room }, 60_000);
    const spec = { name: 't', containers: [{ name: 'main', image: 'oci:/x:y' }] };
    const now = new Date().toISOString();
    const template = { name: 't', revision: 'r', spec, state: 'ready', since: now, createdAt: now };
    await registry.createTemplate(template as unknown as Parameters<Registry['createTemplate']>[0]);
    // Of a node's parts only these are looked at.
    context = { nodeId, registry, store, activations: createActivationTable(), log } as unknown as NodeContext;
  });
  after(() => resources.disposeAsync());

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
    const activation = { identity, epoch, sandbox, connections: new Agent() } as unknown as Activation;
    context.activations.add(activation);
    const fence = {
      letRun: () => void done.push('run'),
      readmit: () => void done.push('readmit'),
    };
    const readmit = (over: Partial<NodeContext> = {}, signal = AbortSignal.timeout(10_000)): Promise<void> =>
      readmitAll({ ...context, ...over }, fence, [activation], signal);
    return { id, uid, epoch, done, readmit };
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
});
