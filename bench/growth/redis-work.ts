/** What a Redis did between two looks: calls by command, and the time they took of its one thread. */
import { Redis } from 'ioredis';

export interface RedisWork {
  readonly calls: Readonly<Record<string, number>>;
  readonly busyMs: number;
}

/** `begin` counts from now on; what `end` returns is what has been done since. Calls made by scripts are not round trips. */
export async function watchRedis(url: string): Promise<{ end(): Promise<RedisWork>; usedBytes(): Promise<number> }> {
  const ask = async <Result>(work: (redis: Redis) => Promise<Result>): Promise<Result> => {
    const redis = new Redis(url, { maxRetriesPerRequest: 1 });
    try {
      return await work(redis);
    } finally {
      redis.disconnect();
    }
  };
  await ask((redis) => redis.config('RESETSTAT'));
  return {
    end: () => ask(async (redis) => parseCommandStats(await redis.info('commandstats'))),
    usedBytes: () => ask(async (redis) => Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1])),
  };
}

export function parseCommandStats(info: string): RedisWork {
  const calls: Record<string, number> = {};
  let busyMs = 0;
  for (const [, name = '', count, usec] of info.matchAll(/^cmdstat_([^:]+):calls=(\d+),usec=(\d+)/gm)) {
    calls[name] = Number(count);
    // A script's time holds that of the commands in it.
    if (name === 'evalsha' || name === 'eval') busyMs += Number(usec) / 1000;
  }
  return { calls, busyMs };
}
