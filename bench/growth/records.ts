/**
 * Many sleeping actors in a registry, as records alone: what Redis keeps of each, and whether a page, a look and a claim cost
 * the same beside them as in an empty one. A real Redis of its own, the real registry, nothing else.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startRedis } from '../../infra/servers/redis.ts';
import { percentile } from '../../loadtest/percentile.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import type { ActorRecord, NodeRecord, TemplateRecord } from '../../shared/registry/records.ts';
import { openRedisRegistry } from '../../shared/registry/redis/driver.ts';
import type { Registry } from '../../shared/registry/registry.ts';
import { createLogger } from '../../shared/telemetry/logger.ts';
import { revisionOf, templateSpecSchema } from '../../shared/template/template-spec.ts';
import { watchRedis } from './redis-work.ts';
import type { Run } from './run.ts';

export interface RecordsResult {
  readonly actors: number;
  readonly redisBytesPerActor: number;
  /** Milliseconds, beside all the records and beside almost none; a ratio of the medians. */
  readonly page: Comparison;
  readonly look: Comparison;
  /** Claim of a random sleeping actor, and its way back to sleep. */
  readonly claim: Comparison;
  /** Commands that Redis ran for one page of 100, in the full registry. */
  readonly commandsPerPage: number;
}

interface Comparison {
  readonly emptyMs: number;
  readonly fullMs: number;
  readonly ratio: number;
}

/** At once, so that the time is Redis' and not the way there. */
const createdAtOnce = 200;
const fewActors = 200;
const pageSize = 100;
const rounds = 300;
const template = 'growth';
const nodeId = 'growth';
const manyMs = 3_600_000;

export async function measureRecords(actors: number, run: Run): Promise<RecordsResult> {
  await using resources = new AsyncDisposableStack();
  const dir = await mkdtemp(path.join(tmpdir(), 'dormouse-records-'));
  resources.defer(() => removeTree(dir, tmpdir()));
  const server = await startRedis({ dir, appendOnly: false });
  resources.use(server);
  const registry = openRedisRegistry(server.url, createLogger('silent', {}));
  resources.defer(() => registry.close());
  const revision = await prepare(registry);
  const create = (from: number, to: number): Promise<void> => createActors(registry, revision, from, to);
  await create(0, fewActors);
  await measureAll(registry, fewActors); // once for nothing: both are to meet the same warm process
  const empty = await measureAll(registry, fewActors);
  const redis = await watchRedis(server.url);
  const before = await redis.usedBytes();
  for (let made = fewActors; made < actors; made += chunk) {
    await create(made, Math.min(actors, made + chunk));
    run.signal.throwIfAborted();
    run.say(`${Math.min(actors, made + chunk)} records`);
  }
  const redisBytesPerActor = Math.round(((await redis.usedBytes()) - before) / (actors - fewActors));
  const full = await measureAll(registry, actors);
  return {
    ...{ actors, redisBytesPerActor, commandsPerPage: await commandsOfPage(registry, server.url, actors) },
    ...{ page: compare(empty.page, full.page), look: compare(empty.look, full.look) },
    claim: compare(empty.claim, full.claim),
  };
}

/** Of records: a line of progress each. */
const chunk = 100_000;

async function prepare(registry: Registry): Promise<string> {
  const spec = templateSpecSchema.parse({ name: template, containers: [{ name: 'main', image: 'oci:/none:none' }] });
  const now = new Date().toISOString();
  const record: TemplateRecord = {
    name: template,
    spec,
    revision: revisionOf(spec),
    state: 'ready',
    since: now,
    createdAt: now,
  };
  await registry.beginLife(1, 0);
  await registry.createTemplate(record);
  const runtime = { arch: 'amd64', vmm: 'simulated', vmmVersion: '1', accelerator: 'none' } as const;
  const machine = { machine: 'none', cpuModel: 'none', kernel: 'none', agent: 'none' };
  const node: NodeRecord = {
    ...{ id: nodeId, bootId: randomUUID(), state: 'ready', ingressUrl: 'http://127.0.0.1:1' },
    ...{ runtime: { ...runtime, ...machine }, slots: 1000, memoryMiB: 1_000_000, startedAt: now },
  };
  await registry.announceNode(node, manyMs);
  return record.revision;
}

const idOf = (index: number): string => `actor-${String(index).padStart(8, '0')}`;

async function createActors(registry: Registry, revision: string, from: number, to: number): Promise<void> {
  let next = from;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < to; index = next++) await registry.createActor(sleeper(idOf(index), revision));
  };
  await Promise.all(Array.from({ length: createdAtOnce }, lane));
}

function sleeper(id: string, revision: string): ActorRecord {
  const now = new Date().toISOString();
  return {
    ...{ id, uid: randomUUID(), template, revision, state: 'suspended', since: now, createdAt: now },
    ...{ labels: {}, memoryMiB: 256, coldStart: false, generation: 0, generationSeq: 1, logSeq: 1 },
    ...{ durableAt: now, reason: 'created' },
  };
}

type Times = Readonly<Record<'page' | 'look' | 'claim', number>>;

async function measureAll(registry: Registry, actors: number): Promise<Times> {
  const random = (): string => idOf(randomInt(actors));
  return {
    page: await medianOf(rounds / 10, () => registry.listActors({}, pageSize, idOf(randomInt(actors - pageSize)))),
    look: await medianOf(rounds, () => registry.getActor(random())),
    claim: await medianOf(rounds, () => claimAndLeave(registry, random())),
  };
}

async function claimAndLeave(registry: Registry, id: string): Promise<void> {
  const claim = await registry.claim(id, nodeId, manyMs, 'a call');
  if (claim.outcome !== 'claimed') throw new DormouseError('internal', `${id} was not claimed: ${claim.outcome}`);
  await registry.transition({ id, epoch: claim.epoch, from: ['resuming'], to: 'suspended', reason: 'measured' });
}

async function medianOf(count: number, work: () => Promise<unknown>): Promise<number> {
  const samples: number[] = [];
  for (let round = 0; round < count; round++) {
    const began = performance.now();
    await work();
    samples.push(performance.now() - began);
  }
  return percentile(samples, 50) ?? NaN;
}

async function commandsOfPage(registry: Registry, url: string, actors: number): Promise<number> {
  const watch = await watchRedis(url);
  await registry.listActors({}, pageSize, idOf(randomInt(actors - pageSize)));
  const { calls } = await watch.end();
  return (calls['zrange'] ?? 0) + (calls['hgetall'] ?? 0);
}

const rounded = (value: number): number => Math.round(1000 * value) / 1000;

const compare = (emptyMs: number, fullMs: number): Comparison => ({
  ...{ emptyMs: rounded(emptyMs), fullMs: rounded(fullMs) },
  ratio: rounded(fullMs / emptyMs),
});
