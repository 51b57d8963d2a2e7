/** The registry's own life in Redis: which incarnation it is, whether that still holds, whether actors are placed. */
import { DormouseError } from '../../errors/dormouse-error.ts';
import type { LifeRegistry } from '../registry.ts';
import { translated, type RedisConnection } from './connection.ts';
import { redisKeys } from './keys.ts';
import type { RunScript } from './scripts.ts';

export function lifeRegistry(redis: RedisConnection, run: RunScript): LifeRegistry {
  return {
    async incarnation() {
      return Number((await translated(redis.get(redisKeys.incarnation))) ?? 0);
    },
    async life() {
      const [incarnation = 0, current, closedMs = 0, rebuilding] = (await run('life')) as number[];
      return { incarnation, current: current === 1, closedMs, rebuilt: rebuilding === 0 };
    },
    async beginLife(incarnation, closedMs) {
      return (await run('beginLife', incarnation, closedMs)) as number;
    },
    async openPlacement(incarnation) {
      return (await run('openPlacement', incarnation)) === 1;
    },
    async markRebuilt(incarnation) {
      await run('markRebuilt', incarnation);
    },
    async mayActivate(epoch) {
      return (await run('mayActivate', epoch)) === 1;
    },
  };
}

/** What is absent may only be forgotten: until the store was read back, nobody may be told that it does not exist. */
export async function requireMemory(run: RunScript): Promise<void> {
  const [, current, , rebuilding] = (await run('life')) as number[];
  if (current === 1 && rebuilding === 0) return;
  throw new DormouseError('registry-unavailable', 'the registry is being rebuilt from the store', {
    retryAfterMs: 1000,
  });
}
