/** A platform in which many actors sleep and nobody calls: its processors, its memory, and what Redis keeps of each. */
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Platform } from '../../e2e/platform.ts';
import type { Bench } from '../bench.ts';
import type { TemplateName } from '../config.ts';
import { cpuMs, memoryOf } from '../process-look.ts';
import { neverIdleMs } from './steps.ts';

/** Long enough for renewals, looks and reapers to come by a few times. */
const watchMs = 5000;
const createAtOnce = 16;
const removeLimitMs = 60_000;
const [sleepers, quickSleepers] = [1000, 50];

export async function measureIdle(bench: Bench, template: TemplateName): Promise<void> {
  if (template !== bench.settings.templates[0]) return; // an actor asleep is a record, whatever its template
  const { figures, settings, signal } = bench;
  const platform = await bench.platform('file');
  await platform.template(template, { idleTimeoutMs: neverIdleMs });
  const count = settings.quick ? quickSleepers : sleepers;
  // As many that come and go: what the processes are then larger by is compiled code and heaps that have grown, of no actor.
  await removeAll(platform, await createSleepers(bench, platform, template, count), signal);
  const before = await look(platform, settings.quick ? watchMs / 5 : watchMs, signal);
  const ids = await createSleepers(bench, platform, template, count);
  const after = await look(platform, settings.quick ? watchMs / 5 : watchMs, signal);
  figures.add('idle CPU, no actors', '%', before.cpuPercent);
  figures.add('idle CPU, sleeping actors', '%', after.cpuPercent);
  figures.add('Redis, per sleeping actor', 'bytes', (after.redisBytes - before.redisBytes) / count);
  figures.add('api and workers, per sleeping actor', 'bytes', (after.pssBytes - before.pssBytes) / count);
  await removeAll(platform, ids, signal);
}

const removeAll = (platform: Platform, ids: readonly string[], signal: AbortSignal): Promise<void> =>
  inParallel(ids, (id) => platform.client.actors.delete(id, { waitMs: removeLimitMs, signal }));

async function createSleepers(bench: Bench, { client }: Platform, template: string, count: number): Promise<string[]> {
  bench.say(`creating ${count} actors`);
  const ids = Array.from({ length: count }, (_, index) => `bench-sleeper-${index}`);
  await inParallel(ids, (id) => client.actors.create({ id, template }, { signal: bench.signal }));
  return ids;
}

async function inParallel(items: readonly string[], work: (item: string) => Promise<unknown>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: createAtOnce }, worker));
}

async function look({ stack }: Platform, ms: number, signal: AbortSignal) {
  const pids = [...stack.processes.values()].flatMap(({ pid }) => pid ?? []);
  const own = [...stack.processes].flatMap(([name, { pid }]) => (name === 'redis' ? [] : (pid ?? [])));
  const usedBefore = await cpuMs(pids);
  await delay(ms, undefined, { signal });
  const cpuPercent = (100 * ((await cpuMs(pids)) - usedBefore)) / ms;
  const memory = await Promise.all(own.map((pid) => memoryOf(pid, '')));
  const pssBytes = memory.reduce((sum, { pssBytes: bytes }) => sum + bytes, 0);
  return { cpuPercent, pssBytes, redisBytes: await redisBytes(stack.config.redisUrl) };
}

async function redisBytes(url: string): Promise<number> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1 });
  try {
    return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
  } finally {
    redis.disconnect();
  }
}
