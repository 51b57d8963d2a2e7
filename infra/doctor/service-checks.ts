/** What the platform needs beside the machine: Redis, the store, its port; and, where it runs already, whether it is ready. */
import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { DormouseApiError } from '../../sdk/api-error.ts';
import { createClient } from '../../sdk/client.ts';
import { openObjectStore } from '../../shared/object-store/open.ts';
import { openRedis } from '../../shared/registry/redis/connection.ts';
import type { StackConfig } from '../stack/config.ts';
import { decidePort } from '../stack/ports.ts';
import { broken, note, ok, type Finding } from './finding.ts';

/** Something that is there answers at once; something across a network within seconds. */
const limitMs = 5000;

export async function checkRedis(url: string | undefined): Promise<Finding> {
  if (url === undefined) return ok('redis', 'the local stack runs its own');
  const redis = openRedis(url, {
    connectTimeout: limitMs,
    commandTimeout: limitMs,
    maxRetriesPerRequest: 0,
    retryDelayMs: () => null,
  });
  // The ping only tells that there is no connection; what the first try met with is told here.
  let met: unknown;
  redis.on('error', (error: unknown) => (met ??= error));
  try {
    await redis.ping();
    return ok('redis', 'DORMOUSE_REDIS_URL answers');
  } catch (error) {
    return broken(
      'redis',
      `DORMOUSE_REDIS_URL: ${messageOf(met ?? error)}`,
      'Start Redis, or correct DORMOUSE_REDIS_URL.',
    );
  } finally {
    redis.disconnect();
  }
}

export async function checkStore(url: string): Promise<Finding> {
  if (url.startsWith('file:') && !(await exists(fileURLToPath(url))))
    return ok('store', `${url} is made at the first start`);
  try {
    const store = await openObjectStore(url);
    try {
      await store.check({ signal: AbortSignal.timeout(limitMs) });
      return ok('store', `${store.description} takes writes`);
    } finally {
      await store.close();
    }
  } catch (error) {
    return broken('store', messageOf(error), 'Correct DORMOUSE_STORE, its credentials or its permissions.');
  }
}

/** A port that is taken by Dormouse itself is as it should be. */
export async function checkPort({ host, port, token }: Pick<StackConfig, 'host' | 'port' | 'token'>): Promise<Finding> {
  try {
    await decidePort(host, port);
    return ok('port', `${port} is free: Dormouse does not run there`);
  } catch (error) {
    const client = createClient({ url: `http://${host}:${port}`, token, retries: 0 });
    return await readiness(client, messageOf(error));
  }
}

async function readiness(client: ReturnType<typeof createClient>, taken: string): Promise<Finding> {
  try {
    const { ready, report } = await client.health.ready({ signal: AbortSignal.timeout(limitMs) });
    if (ready) return ok('port', `Dormouse answers at ${client.url}, and is ready`);
    return note(
      'port',
      `Dormouse answers at ${client.url}, and is not ready: ${JSON.stringify(report)}`,
      'See `dormouse status`.',
    );
  } catch (error) {
    const isOther = error instanceof DormouseApiError && error.code === 'unexpected-answer';
    const says = isOther ? `something else answers at ${client.url}` : taken;
    return broken('port', says, 'Stop what listens there, or set DORMOUSE_PORT to another port.');
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
