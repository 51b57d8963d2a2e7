/**
 * Where the leak check counts: what the public API says about its nodes; and, when they are named, this machine, Redis
 * and the store. Redis keys that expire by themselves (finished operations, remembered answers) are no leak.
 */
import { Cluster } from 'ioredis';
import type { DormouseClient } from '../../sdk/client.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { openObjectStore } from '../../shared/object-store/open.ts';
import { openRedis, type Patience, type RedisConnection } from '../../shared/registry/redis/connection.ts';
import { countLocal } from './local-platform.ts';
import type { Counts } from './verdict.ts';

export interface LeakOptions {
  /** The platform's home on this machine. */
  readonly home?: string;
  readonly redisUrl?: string;
  readonly storeUrl?: string;
}

export interface LeakSources extends AsyncDisposable {
  readonly names: readonly string[];
  count(signal: AbortSignal): Promise<Counts>;
}

/** A Redis that is away for a few seconds is waited for; commands to a cluster would wait for ever. */
const patience: Patience = { maxRetriesPerRequest: 1, retryDelayMs: (attempt) => (attempt > 10 ? null : 500) };

/** Opens nothing that was not named. */
export function openLeakSources(client: DormouseClient | undefined, options: LeakOptions): LeakSources {
  const { home, redisUrl, storeUrl } = options;
  const redis = redisUrl === undefined ? undefined : openRedis(redisUrl, patience);
  // Said by the command that fails; without a listener it would end the process.
  redis?.on('error', () => undefined);
  const counters = new Map<string, (signal: AbortSignal) => Promise<Counts>>();
  if (client !== undefined) counters.set('nodes of the API', (signal) => countNodes(client, signal));
  if (home !== undefined) counters.set(`this machine`, () => countLocal(home));
  if (redis !== undefined) counters.set('Redis', () => countRedis(redis));
  if (storeUrl !== undefined) counters.set('store', (signal) => countStore(storeUrl, signal));
  return {
    names: [...counters.keys()],
    async count(signal) {
      const counts = await Promise.all([...counters.values()].map((count) => count(signal)));
      return Object.assign({}, ...counts) as Counts;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(redis?.disconnect()),
  };
}

async function countNodes(client: DormouseClient, signal: AbortSignal): Promise<Counts> {
  const nodes = await client.nodes.list({ signal });
  const sum = (of: (node: (typeof nodes)[number]) => number): number =>
    nodes.reduce((total, node) => total + of(node), 0);
  return { 'used slots': sum((node) => node.usedSlots), 'given out MiB': sum((node) => node.usedMemoryMiB) };
}

async function countRedis(redis: RedisConnection): Promise<Counts> {
  let lasting = 0;
  try {
    await redis.ping(); // a cluster knows its masters by then
    for (const server of redis instanceof Cluster ? redis.nodes('master') : [redis]) {
      for await (const keys of server.scanStream({ count: 1000 }) as AsyncIterable<string[]>) {
        const ttls = await Promise.all(keys.map((key) => server.pttl(key)));
        lasting += ttls.filter((ttl) => ttl === -1).length; // -1: never expires, -2: gone meanwhile
      }
    }
  } catch (cause) {
    throw new DormouseError('registry-unavailable', `--redis-url: ${String(cause)}`, { cause });
  }
  return { 'lasting Redis keys': lasting };
}

async function countStore(url: string, signal: AbortSignal): Promise<Counts> {
  const store = await openObjectStore(url);
  let objects = 0;
  try {
    for await (const _ of store.list('', { signal })) objects++;
  } finally {
    await store.close();
  }
  return { 'store objects': objects };
}
