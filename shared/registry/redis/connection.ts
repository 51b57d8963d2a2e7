/**
 * Redis connections, to one server by its port or its socket, or to a cluster, and the one place where a failure becomes
 * `registry-unavailable`.
 */
import { Cluster, Redis } from 'ioredis';
import { DormouseError } from '../../errors/dormouse-error.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { parseClusterUrl, type ClusterUrl } from './cluster-url.ts';
import { parseSocketUrl } from './socket-url.ts';

export type RedisConnection = Redis | Cluster;

export interface Patience {
  readonly commandTimeout?: number;
  readonly connectTimeout?: number;
  readonly maxRetriesPerRequest: number | null;
  /** Until the next try to connect, null for none; without it, every second in the end. */
  readonly retryDelayMs?: (attempt: number) => number | null;
}

/** A command that has no answer by then will not get one soon; the caller's own deadline is longer. */
const commandTimeoutMs = 5000;
/** Commands fail after a few reconnects instead of waiting for Redis for ever. */
const maxRetriesPerRequest = 3;

const soonAgainMs = (attempt: number): number => Math.min(50 * attempt, 1000);

export const connectRedis = (url: string, log: Logger): RedisConnection =>
  connect(url, log, { commandTimeout: commandTimeoutMs, maxRetriesPerRequest });

/** A connection for a BullMQ worker, whose blocking reads must neither time out nor give up. */
export const connectBlocking = (url: string, log: Logger): RedisConnection =>
  connect(url, log, { maxRetriesPerRequest: null });

function connect(url: string, log: Logger, patience: Patience): RedisConnection {
  const redis = openRedis(url, patience);
  redis.on('error', (error: Error) => log.warn({ err: error.message }, 'redis connection failed'));
  return redis;
}

/** Connects by itself; whoever opens it listens to its errors, and says what they mean. */
export function openRedis(url: string, given: Patience): RedisConnection {
  const { retryDelayMs = soonAgainMs, ...patience } = given;
  const cluster = parseClusterUrl(url);
  if (cluster !== undefined) return openCluster(cluster, patience, retryDelayMs);
  const path = parseSocketUrl(url);
  const options = { ...patience, retryStrategy: retryDelayMs };
  return path === undefined ? new Redis(url, options) : new Redis({ ...options, path });
}

function openCluster(
  { nodes, tls, username, password }: ClusterUrl,
  patience: Omit<Patience, 'retryDelayMs'>,
  retryDelayMs: (attempt: number) => number | null,
): Cluster {
  const credentials = { ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
  const redisOptions = { ...patience, ...credentials, ...(tls && { tls: {} }) };
  // A cluster connection that is closed while a master is away reports its end twice, and takes the second one for a loss:
  // it would look for the cluster for ever, and hold the process. What was closed on purpose does not come back, nor does
  // what was duplicated from it.
  let isOver = false;
  const clusterRetryStrategy = (attempt: number): number | null => (isOver ? null : retryDelayMs(attempt));
  const redis = new Cluster([...nodes], { redisOptions, clusterRetryStrategy });
  const disconnect = redis.disconnect.bind(redis);
  redis.disconnect = (reconnect = false) => {
    isOver = !reconnect;
    disconnect(reconnect);
  };
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
