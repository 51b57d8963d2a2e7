/** The registry on one Redis: a connection for commands, a second one (made on first use) that listens for changes. */
import type { Logger } from '../../telemetry/logger.ts';
import type { Change } from '../records.ts';
import type { Registry } from '../registry.ts';
import { actorRegistry } from './actors.ts';
import { changeFeed } from './change-feed.ts';
import { connectRedis, translated } from './connection.ts';
import { eventRegistry } from './events.ts';
import { redisKeys } from './keys.ts';
import { lifeRegistry } from './life.ts';
import { nodeRegistry } from './nodes.ts';
import { operationRegistry } from './operations.ts';
import { defineScripts } from './scripts.ts';
import { templateRegistry } from './templates.ts';

export function openRedisRegistry(url: string, log: Logger): Registry {
  const redis = connectRedis(url, log);
  const run = defineScripts(redis);
  const changes = changeFeed(url, log);
  return {
    ...actorRegistry(redis, run),
    ...templateRegistry(redis, run),
    ...nodeRegistry(redis, run),
    ...operationRegistry(redis, run),
    ...lifeRegistry(redis, run),
    ...eventRegistry(redis),
    async remember(key, value, ttlMs) {
      const before = await translated(redis.set(redisKeys.remembered(key), value, 'PX', ttlMs, 'NX', 'GET'));
      return before ?? undefined;
    },
    async recall(key) {
      return (await translated(redis.get(redisKeys.remembered(key)))) ?? undefined;
    },
    async forget(key) {
      await translated(redis.del(redisKeys.remembered(key)));
    },
    async writeNote(name, text) {
      const key = redisKeys.note(name);
      await translated<unknown>(text === undefined ? redis.del(key) : redis.set(key, text));
    },
    async readNote(name) {
      return (await translated(redis.get(redisKeys.note(name)))) ?? undefined;
    },
    async lead(name, holder, ttlMs) {
      return (await run('lead', name, holder, ttlMs)) === 1;
    },
    async announceToken(id, state) {
      const change: Change = { kind: 'token', id, state };
      await translated(redis.publish(redisKeys.changes, JSON.stringify(change)));
    },
    watch: changes.watch,
    watchFleet: changes.watchFleet,
    watchWakes: changes.watchWakes,
    async ping() {
      await translated(redis.ping());
    },
    async close() {
      await changes.close();
      redis.disconnect();
    },
  };
}
