/** Faults of Redis: killed and started again, with all of its append-only file or with the newest part of it lost. */
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
    redis.exclusively(async () => {
      await redis.keepCopy();
      await pause(random, 500, 3000);
      await redis.kill();
      await redis.restoreCopy();
      await redis.start();
      return 'redis';
    }),
};
