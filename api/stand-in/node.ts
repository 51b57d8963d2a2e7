/**
 * Stands in for a worker in the api's own tests: it announces itself, takes jobs off its real queue and has an ingress
 * that keeps the contract, but runs no VM. Its actor is an HTTP handler. The api's waiting, refusing and limits are what
 * is tested with it; real actors are e2e's matter.
 */
import { Worker } from 'bullmq';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { ingressHeaders, refusalStatus, type RefusalReason } from '../../shared/http/ingress-contract.ts';
import { newPassKey, passChecker, type PassCheck } from '../../shared/http/node-pass.ts';
import { handoverMs, jobSchema, queueName, queuePrefix, type Job, type JobOf } from '../../shared/jobs/contracts.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import { connectBlocking } from '../../shared/registry/redis/connection.ts';
import type { Operation } from '../../shared/registry/records.ts';
import type { Registry } from '../../shared/registry/registry.ts';
import { appendEntry } from '../../shared/snapshot/actor-log.ts';
import type { SnapshotManifest } from '../../shared/snapshot/manifest.ts';
import { objectKeys } from '../../shared/snapshot/object-keys.ts';
import { createLogger } from '../../shared/telemetry/logger.ts';
import { startStandInService, type StandInService } from './node-service.ts';

export interface StandInNode extends AsyncDisposable {
  readonly id: string;
  /** Kinds of the jobs received, in order. */
  readonly jobs: Job['kind'][];
  /** Requests refused, by reason, in order. */
  readonly refusals: RefusalReason[];
  /** What is inside of its actors. */
  readonly service: StandInService;
  /** The epoch of each actor that it holds; the ingress goes by it. */
  readonly held: Map<string, string>;
  /** Called with each job before it is done; it may wait, or throw to make it fail. */
  beforeJob: (job: Job) => Promise<void> | void;
  /** Refuses everything, as while a suspend waits for requests in flight. */
  draining: boolean;
}

export interface StandInOptions {
  readonly id: string;
  readonly redisUrl: string;
  readonly registry: Registry;
  readonly store: ObjectStore;
  readonly serve: RequestListener;
  readonly upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly slots?: number;
}

export const standInRuntime = {
  arch: 'amd64',
  vmm: 'qemu',
  vmmVersion: '10',
  accelerator: 'tcg',
  machine: 'q35',
  cpuModel: 'max',
  kernel: '6',
  agent: 'a',
} as const;

const part = (key: string) => ({ key, sizeBytes: 1000, sha256: 'a'.repeat(64) });
/** Its parts are nowhere; they would have to lie in the folder of their actor or template. */
export const standInManifest = (folder: string): SnapshotManifest => ({
  formatVersion: 1,
  runtime: standInRuntime,
  memorySizeBytes: 1024,
  lowers: {},
  parts: { memory: part(`${folder}memory`), device: part(`${folder}device`) },
  pageCount: 3,
  capturedAt: new Date().toISOString(),
});

const leaseMs = 60_000;

export async function startStandInNode(options: StandInOptions): Promise<StandInNode> {
  const { id, registry, redisUrl } = options;
  const held = new Map<string, string>();
  const passKey = newPassKey();
  const trusts = passChecker(passKey);
  const service = await startStandInService(({ pass, actorId = '', epoch }) =>
    trusts(pass) ? refusalOf(node, held, actorId, epoch) : 'unknown-caller',
  );
  const node: StandInNode = {
    id,
    service,
    jobs: [],
    refusals: [],
    held,
    beforeJob: () => undefined,
    draining: false,
    async [Symbol.asyncDispose]() {
      await worker.close(true);
      connection.disconnect();
      server.closeAllConnections();
      server.close();
      service[Symbol.dispose]();
    },
  };
  const server = startIngress(options, node, held, trusts);
  await once(server, 'listening');
  const bootId = randomUUID();
  const ingressUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const connection = connectBlocking(redisUrl, createLogger('silent', {}));
  const worker = new Worker(
    queueName(id),
    async (queued) => {
      const job = jobSchema.parse(queued.data);
      node.jobs.push(job.kind);
      await perform(options, node, held, job);
    },
    { connection, prefix: queuePrefix(id), concurrency: 8 },
  );
  worker.on('error', () => undefined);
  const record = {
    id,
    bootId,
    state: 'ready',
    ingressUrl,
    nodeServiceUrl: service.url,
    passKey,
    runtime: standInRuntime,
  } as const;
  const room = { slots: options.slots ?? 8, memoryMiB: 4096, startedAt: new Date().toISOString() };
  await registry.announceNode({ ...record, ...room }, leaseMs);
  return node;
}

function refusalOf(
  node: StandInNode,
  held: ReadonlyMap<string, string>,
  actorId: string,
  wanted: unknown,
): RefusalReason | undefined {
  const epoch = held.get(actorId);
  if (epoch === undefined) return 'unknown-actor';
  if (epoch !== wanted) return 'stale-epoch';
  return node.draining ? 'draining' : undefined;
}

function startIngress(
  options: StandInOptions,
  node: StandInNode,
  held: ReadonlyMap<string, string>,
  trusts: PassCheck,
) {
  const server = createServer();
  const refusalFor = ({ headers }: IncomingMessage): RefusalReason | undefined =>
    trusts(String(headers[ingressHeaders.pass]))
      ? refusalOf(node, held, String(headers[ingressHeaders.actor]), headers[ingressHeaders.epoch])
      : 'unknown-caller';
  const take = (request: IncomingMessage, response: ServerResponse & { req: IncomingMessage }): void => {
    const refusal = refusalFor(request);
    if (refusal === undefined) {
      if (request.headers.expect !== undefined) response.writeContinue();
      options.serve(request, response);
      return;
    }
    node.refusals.push(refusal);
    response.writeHead(refusalStatus(refusal), { [ingressHeaders.refusal]: refusal, 'content-length': 0 }).end();
  };
  server.on('request', take);
  server.on('checkContinue', take);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined);
    const refusal = refusalFor(request);
    if (refusal === undefined) options.upgrade?.(request, socket, head);
    else socket.end(`HTTP/1.1 421 Misdirected\r\n${ingressHeaders.refusal}: ${refusal}\r\nContent-Length: 0\r\n\r\n`);
  });
  return server.listen(0, '127.0.0.1');
}

async function perform(options: StandInOptions, node: StandInNode, held: Map<string, string>, job: Job): Promise<void> {
  const { registry } = options;
  const operation: Operation = {
    id: job.operationId,
    kind: job.kind,
    target: job.kind === 'prepare-template' ? job.template : job.actorId,
    state: 'done',
    createdAt: job.requestedAt,
    finishedAt: new Date().toISOString(),
    node: node.id,
    phases: { vmm: 1 },
  };
  await node.beforeJob(job);
  if (job.kind === 'resume') await resume(options, held, job);
  if (job.kind === 'suspend') await suspend(options, held, job);
  if (job.kind === 'pause') await pause(options, held, job);
  if (job.kind === 'delete') await remove(options, held, job.actorId);
  if (job.kind === 'prepare-template') await prepare(options, job);
  await registry.putOperation(operation);
}

async function resume({ registry }: StandInOptions, held: Map<string, string>, job: JobOf<'resume'>): Promise<void> {
  held.set(job.actorId, job.epoch);
  const lastStart = { kind: 'warm', at: new Date().toISOString(), phases: { queue: 1.5, vmm: 2 } } as const;
  const move = { id: job.actorId, from: ['resuming'], to: 'running', epoch: job.epoch, reason: 'woke' } as const;
  await registry.transition({ ...move, update: { lastStart, lastError: undefined, capture: undefined } });
}

async function pause({ registry }: StandInOptions, held: Map<string, string>, job: JobOf<'pause'>): Promise<void> {
  const { actorId: id, epoch } = job;
  held.delete(id);
  const capture = { epoch, capturedAt: new Date().toISOString(), sizeBytes: 1000 };
  await registry.transition({ id, from: ['pausing'], to: 'paused', epoch, reason: 'captured', update: { capture } });
}

async function suspend(options: StandInOptions, held: Map<string, string>, job: JobOf<'suspend'>): Promise<void> {
  const { registry, store, id: node } = options;
  const { actorId: id, epoch } = job;
  const record = await registry.getActor(id);
  if (record?.state !== 'suspending') return;
  const generation = record.generation + 1;
  const manifest = standInManifest(objectKeys.actorBlobs(id, record.uid));
  const entry = { kind: 'snapshot', uid: record.uid, generation, epoch, node, manifest } as const;
  await appendEntry(store, id, record.logSeq, entry);
  held.delete(id);
  const seq = record.logSeq + 1;
  const update = { generation, generationSeq: seq, logSeq: seq, capture: undefined };
  await registry.transition({ id, from: ['suspending'], to: 'suspended', epoch, reason: 'committed', update });
}

async function remove(options: StandInOptions, held: Map<string, string>, id: string): Promise<void> {
  const { registry, store } = options;
  const record = await registry.getActor(id);
  if (record === undefined) return;
  held.delete(id);
  await appendEntry(store, id, record.logSeq, { kind: 'deleted', uid: record.uid });
  await registry.removeActor(id, record.uid);
}

async function prepare({ registry }: StandInOptions, job: JobOf<'prepare-template'>): Promise<void> {
  const record = await registry.getTemplate(job.template);
  if (record === undefined) return;
  const { spec, revision } = record;
  const preparedAt = new Date().toISOString();
  const golden = standInManifest(`${objectKeys.templateFolder(spec.name, revision)}golden/`);
  const descriptor = { formatVersion: 1, spec, revision, images: {}, golden, preparedAt } as const;
  await registry.updateTemplate({ ...record, state: 'ready', since: preparedAt, descriptor }, ['preparing']);
}

/** Moves a running actor to `suspending` as a node does that finds it idle. */
export async function beginIdleSuspend(registry: Registry, id: string): Promise<void> {
  const epoch = (await registry.getActor(id))?.epoch ?? '';
  await registry.transition({ id, from: ['running'], to: 'suspending', epoch, deadlineMs: handoverMs, reason: 'idle' });
}
