/** Faults of Redis: killed and started again, with all of its append-only file or with the newest part of it lost. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { ChaosRedis } from '../redis.ts';
import type { Fault } from './fault.ts';
import { pause } from './processes.ts';

export const killRedis: Fault = {
  strike: ({ world: { redis }, random }) =>
    redis.exclusively(async () => {
      await redis.kill();
      await pause(random, 0, 2000);
      await redis.start();
      return 'redis';
    }),
};

/** What a machine that loses its power does to a file that is synchronised once a second, and rather more. */
export const loseRedisTail: Fault = {
  strike: ({ world: { redis }, random }) =>
    redis.exclusively(() => (random.chance(0.5) ? returnToCopy(redis, random) : cutFile(redis, random))),
};

async function returnToCopy(redis: ChaosRedis, random: Random): Promise<string> {
  const ageMs = random.between(500, 3000);
  await redis.keepCopy();
  await delay(ageMs);
  await redis.kill();
  await redis.restoreCopy();
  await redis.start();
  return `redis, the last ${Math.round(ageMs)} ms`;
}

async function cutFile(redis: ChaosRedis, random: Random): Promise<string> {
  await redis.kill();
  const bytes = await redis.cutTail(Math.round(random.between(100, 100_000)));
  await redis.start();
  return `redis, the last ${bytes} bytes`;
}
