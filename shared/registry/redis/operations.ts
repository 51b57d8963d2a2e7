/** Operations in Redis: kept for a day, announced when they change. */
import type { Redis } from 'ioredis';
import { operationSchema, type Change } from '../records.ts';
import type { OperationRegistry } from '../registry.ts';
import { translated } from './connection.ts';
import { decodeHash, encodeFields } from './hash-record.ts';
import { redisKeys } from './keys.ts';

/** Long enough to look at yesterday's failure. */
const operationTtlMs = 24 * 3600 * 1000;

export function operationRegistry(redis: Redis): OperationRegistry {
  return {
    async putOperation(operation) {
      const key = redisKeys.operation(operation.id);
      const change: Change = { kind: 'operation', id: operation.id, state: operation.state };
      const fields = encodeFields(operation);
      await translated(
        redis
          .multi()
          .hset(key, ...fields)
          .pexpire(key, operationTtlMs)
          .publish(redisKeys.changes, JSON.stringify(change))
          .exec(),
      );
    },
    async getOperation(id) {
      const key = redisKeys.operation(id);
      return decodeHash(operationSchema, key, await translated(redis.hgetall(key)));
    },
  };
}
