/**
 * A node for tests of the jobs: the real registry on a real Redis, the real file store, the real golden cache and tables;
 * only sandboxes and images stand in. What the api does (claims, requests, a reaper's fall back) the test does itself.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { execa } from 'execa';
import { handoverMs, jobLimitsMs, type Job } from '../../../shared/jobs/contracts.ts';
import { openObjectStore } from '../../../shared/object-store/open.ts';
import type { ObjectStore } from '../../../shared/object-store/object-store.ts';
import { ensureIncarnation } from '../../../shared/registry/incarnation.ts';
import { openRedisRegistry } from '../../../shared/registry/redis/driver.ts';
import type { Registry } from '../../../shared/registry/registry.ts';
import { createTemplateCache } from '../../../shared/registry/template-cache.ts';
import { appendEntry } from '../../../shared/snapshot/actor-log.ts';
import { createLogger } from '../../../shared/telemetry/logger.ts';
import { revisionOf, templateSpecSchema } from '../../../shared/template/template-spec.ts';
import { createActivationTable } from '../../activation/activation.ts';
import { createCaptureTable } from '../../activation/local-capture.ts';
import type { ImageStore, PreparedImage } from '../../images/image-store.ts';
import type { NodeContext } from '../../node-context.ts';
import type { PreparedSandbox, Sandbox } from '../../sandbox/sandbox.ts';
import type { SandboxPool } from '../../pool/pool.ts';
import { createGoldenCache } from '../../snapshot/golden-cache.ts';
import { createKnownLogs } from '../../snapshot/known-logs.ts';
import { createJobsInHand, type JobsInHand } from '../job-in-hand.ts';
import { withFaults, type FaultPlan } from './faults.ts';
import { standInClass, standInRuntime, type Counter } from './sandbox.ts';

const log = createLogger('silent', {});
export const nodeId = 'node-1';
const manyMs = 600_000;

export interface Grounds extends AsyncDisposable {
  readonly registry: Registry;
  readonly store: ObjectStore;
  readonly folder: string;
}

/** Redis, a store and a node with much room, for all tests of a file. */
export async function startGrounds(): Promise<Grounds> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-jobs-'));
  const socket = path.join(folder, 'redis.sock');
  const options = ['--port', '0', '--unixsocket', socket, '--save', '', '--dir', folder];
  const server = execa('setpriv', ['--pdeathsig', 'KILL', '--', 'redis-server', ...options], { reject: false });
  const registry = openRedisRegistry(socket, log);
  const store = await openObjectStore(pathToFileURL(path.join(folder, 'store')).href);
  await ensureIncarnation(registry, store);
  const startedAt = new Date().toISOString();
  const room = { slots: 1000, memoryMiB: 1_000_000, startedAt };
  const record = { id: nodeId, bootId: randomUUID(), state: 'ready', ingressUrl: 'http://127.0.0.1:1' } as const;
  await registry.announceNode({ ...record, ...room, runtime: standInRuntime }, manyMs);
  return {
    ...{ registry, store, folder },
    async [Symbol.asyncDispose]() {
      await store.close();
      await registry.close();
      server.kill('SIGTERM');
      await server;
      await rm(folder, { recursive: true });
    },
  };
}

export interface StandInNode {
  readonly context: NodeContext;
  readonly inHand: JobsInHand;
  readonly live: ReadonlySet<Counter>;
  /** Ends every sandbox, as when its process is killed; nobody is told. */
  end(): void;
  /** Folders of captures and transfers that are there now. */
  transferFolders(): Promise<string[]>;
}

export async function standInNode({ registry, store, folder }: Grounds, plan: FaultPlan): Promise<StandInNode> {
  const home = await mkdtemp(path.join(folder, 'node-'));
  const [transferFolder, diskFolder, memoryFolder] = ['transfer', 'cache', 'memory'].map((name) =>
    path.join(home, name),
  ) as [string, string, string];
  for (const each of [transferFolder, diskFolder, memoryFolder]) await mkdir(each);
  const live = new Set<Counter>();
  const faultyStore = withFaults(store, 'store', plan);
  const faultySandbox = (result: unknown): unknown =>
    result === undefined ? result : withFaults(result as Sandbox, 'sandbox', plan);
  const sandboxes = withFaults(standInClass(live), 'sandboxes', plan, (result) =>
    isPrepared(result) ? withFaults(result, 'prepared', plan, faultySandbox) : faultySandbox(result),
  );
  const blobs = { store: faultyStore, keyRing: [] };
  const faultyRegistry = withFaults(registry, 'registry', plan);
  const context: NodeContext = {
    ...{ nodeId, log, sandboxes, transferFolder, blobs },
    registry: faultyRegistry,
    store: faultyStore,
    sender: {
      waiting: () => Promise.resolve(0),
      next: () => Promise.resolve(undefined),
      send: () => Promise.resolve(),
      withdraw: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    images: standInImages,
    goldens: createGoldenCache({ blobs, sandboxes, diskFolder, memoryFolder }),
    pool: noPool,
    knownLogs: createKnownLogs(),
    templates: createTemplateCache(faultyRegistry),
    activations: createActivationTable(),
    captures: createCaptureTable(),
    drainMs: 1000,
  };
  return {
    context,
    inHand: createJobsInHand(),
    live,
    end: () => live.clear(),
    transferFolders: () => readdir(transferFolder),
  };
}

const isPrepared = (result: unknown): result is PreparedSandbox =>
  typeof result === 'object' && result !== null && 'restore' in result;

const noPool: SandboxPool = {
  take: () => undefined,
  expect: () => undefined,
  beginWake: () => ({ [Symbol.dispose]: () => undefined }),
  holdOff: () => ({ [Symbol.dispose]: () => undefined }),
  drain: () => Promise.resolve(),
  shares: () => [],
  counts: { ready: 0, hits: 0, misses: 0 },
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

const image: PreparedImage = {
  reference: 'oci:/images:main',
  digest: `sha256:${'a'.repeat(64)}`,
  rootPath: '/nowhere',
  treeDigest: 'b'.repeat(64),
  config: { entrypoint: ['/bin/true'], cmd: [], env: {}, user: '', workingDir: '' },
};

const standInImages: ImageStore = {
  prepare: () => Promise.resolve(image),
  open: () => Promise.resolve(image),
  verify: () => Promise.resolve(),
  sweep: () => Promise.resolve([]),
  attach: () => Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve() }),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

export const specOf = (name: string) =>
  templateSpecSchema.parse({ name, containers: [{ name: 'main', image: 'oci:/images:main' }] });

/** A template that is being prepared, as the api leaves it to the node. */
export async function preparing({ registry }: Grounds, name: string): Promise<void> {
  const spec = specOf(name);
  const now = new Date().toISOString();
  const record = { name, spec, revision: revisionOf(spec), since: now, createdAt: now };
  await registry.createTemplate({ ...record, state: 'preparing' });
}

/** A sleeping actor of a ready template, as the api creates it. */
export async function sleeping({ registry, store }: Grounds, id: string, template: string): Promise<void> {
  const record = await registry.getTemplate(template);
  if (record === undefined) throw new Error(`no template ${template}`);
  const { revision, spec } = record;
  const uid = randomUUID();
  const entry = { kind: 'created', uid, id, template, revision, labels: {}, coldStart: false } as const;
  await appendEntry(store, id, 0, entry);
  const now = new Date().toISOString();
  const base = { id, uid, template, revision, labels: {}, coldStart: false, memoryMiB: spec.memoryMiB };
  const position = { generation: 0, generationSeq: 1, logSeq: 1, durableAt: now };
  await registry.createActor({
    ...base,
    ...position,
    state: 'suspended',
    since: now,
    createdAt: now,
    reason: 'created',
  });
}

type Subject<Kind extends Job['kind']> = Omit<
  Extract<Job, { kind: Kind }>,
  'kind' | 'operationId' | 'deadlineAt' | 'requestedAt'
>;

export const jobOf = <Kind extends Job['kind']>(kind: Kind, subject: Subject<Kind>): Job =>
  ({
    ...subject,
    kind,
    operationId: randomUUID(),
    requestedAt: new Date().toISOString(),
    deadlineAt: new Date(Date.now() + jobLimitsMs[kind]).toISOString(),
  }) as unknown as Job;

/** Moves the actor as the api does when a user asks, and returns the job that the node is sent; undefined: not now. */
export async function ask(
  { registry }: Grounds,
  id: string,
  request: 'resume' | 'suspend' | 'pause' | 'delete',
): Promise<Job | undefined> {
  const record = await registry.getActor(id);
  if (record === undefined) return undefined;
  if (request === 'resume') {
    const claim = await registry.claim(id, nodeId, jobLimitsMs.resume + handoverMs, 'a test');
    return claim.outcome === 'claimed' ? jobOf('resume', { actorId: id, epoch: claim.epoch }) : undefined;
  }
  const { state, epoch } = record;
  const to = { suspend: 'suspending', pause: 'pausing', delete: 'deleting' } as const;
  const move = { id, from: [state], to: to[request], deadlineMs: manyMs, reason: 'a test' };
  const moved = await registry.transition({ ...move, ...(epoch !== undefined && { epoch }) });
  if (moved.outcome !== 'moved') return undefined;
  if (request === 'delete') return jobOf('delete', { actorId: id });
  return epoch === undefined ? undefined : jobOf(request, { actorId: id, epoch });
}
