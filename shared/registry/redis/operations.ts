/**
 * Operations in Redis: kept for a day, announced when they change, and indexed by deadline until they are over. The first
 * end of an operation stands: a worker that was only slow does not undo what the reaper said, nor the other way round.
 */
import { operationSchema, type Operation } from '../records.ts';
import type { OperationRegistry } from '../registry.ts';
import { translated, type RedisConnection } from './connection.ts';
import { decodeOwnHash, encodeFields } from './hash-record.ts';
import { redisKeys } from './keys.ts';
import type { RunScript } from './scripts.ts';

/** Long enough to look at yesterday's failure. */
const operationTtlMs = 24 * 3600 * 1000;
/** For an operation that does not say by when it ends: longer than any job. */
const defaultLimitMs = 900_000;

export function operationRegistry(redis: RedisConnection, run: RunScript): Omit<OperationRegistry, 'beginJob'> {
  const getOperation = async (id: string): Promise<Operation | undefined> => {
    const key = redisKeys.operation(id);
    return decodeOwnHash(operationSchema, key, await translated(redis.hgetall(key)));
  };
  return {
    getOperation,
    async putOperation(operation) {
      return (await run('putOperation', ...operationArguments(operation))) === 1;
    },
    async openOperations(limit, overdue) {
      const until = overdue ? Date.now() : '+inf';
      const ids = await translated(redis.zrangebyscore(redisKeys.openOperations, 0, until, 'LIMIT', 0, limit));
      const found = await Promise.all(ids.map(getOperation));
      const forgotten = ids.filter((_id, index) => found[index] === undefined);
      if (forgotten.length > 0) await translated(redis.zrem(redisKeys.openOperations, ...forgotten));
      return found.filter((operation) => operation !== undefined);
    },
  };
}

/** What the scripts take for an operation. */
export const operationArguments = (operation: Operation): (string | number)[] => [
  operation.id,
  operation.state,
  openUntil(operation),
  operationTtlMs,
  ...encodeFields(operation),
];

/** Its score in the index of open operations; empty when it is over. */
function openUntil({ state, createdAt, deadlineAt }: Operation): number | '' {
  if (state === 'done' || state === 'failed') return '';
  return deadlineAt === undefined ? Date.parse(createdAt) + defaultLimitMs : Date.parse(deadlineAt);
}
