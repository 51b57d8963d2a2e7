/** Redis connections and the one place where a Redis failure becomes `registry-unavailable`. */
import { Redis } from 'ioredis';
import { DormouseError } from '../../errors/dormouse-error.ts';
import type { Logger } from '../../telemetry/logger.ts';

/** A command that has no answer by then will not get one soon; the caller's own deadline is longer. */
const commandTimeoutMs = 5000;

export function connectRedis(url: string, log: Logger): Redis {
  const redis = new Redis(url, {
    commandTimeout: commandTimeoutMs,
    // Commands fail after a few reconnects instead of waiting for Redis for ever.
    maxRetriesPerRequest: 3,
    retryStrategy: (attempt) => Math.min(50 * attempt, 1000),
  });
  redis.on('error', (error: Error) => log.warn({ err: error.message }, 'redis connection failed'));
  return redis;
}

/** A connection for a BullMQ worker, whose blocking reads must neither time out nor give up. */
export function connectBlocking(url: string, log: Logger): Redis {
  const redis = new Redis(url, {
    maxRetriesPerRequest: null,
    retryStrategy: (attempt) => Math.min(50 * attempt, 1000),
  });
  redis.on('error', (error: Error) => log.warn({ err: error.message }, 'redis connection failed'));
  return redis;
}

export async function translated<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof DormouseError) throw cause;
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new DormouseError('registry-unavailable', `Redis: ${words}`, { cause });
  }
}
