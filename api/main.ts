/**
 * The api process: opens the parts, serves, and stops in phases. Starting fails with one line that says what is wrong
 * (`invalid-configuration`, a port that is taken, a store that refuses us); a Redis or a store that does not answer is told
 * by /readyz instead, so that it may come later.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { toDormouseError } from '../shared/errors/dormouse-error.ts';
import { openJobSender } from '../shared/jobs/queues.ts';
import { openObjectStore } from '../shared/object-store/open.ts';
import { ensureIncarnation } from '../shared/registry/incarnation.ts';
import { openRedisRegistry } from '../shared/registry/redis/driver.ts';
import { createLogger, type Logger } from '../shared/telemetry/logger.ts';
import { readConfig, type ApiConfig } from './config.ts';
import { startReaper } from './scheduler/reaper.ts';
import { buildServer } from './server.ts';

/** What is left to do after the calls have ended takes no longer, or is stuck. */
const closeLimitMs = 10_000;
const incarnationRetryMs = 1000;

async function main(config: ApiConfig, log: Logger): Promise<void> {
  const stop = stopRequest(log);
  await using resources = new AsyncDisposableStack();
  const registry = openRedisRegistry(config.redisUrl, log);
  resources.defer(() => registry.close());
  const store = await openObjectStore(config.storeUrl);
  resources.defer(() => store.close());
  const jobs = resources.use(openJobSender(config.redisUrl, log));
  const { token, actorDomain, maxParked } = config;
  const parts = { registry, store, jobs, log, token, actorDomain, maxParked };
  resources.use(startReaper(parts, { holder: randomUUID(), graceMs: config.leaseMs }));
  const api = resources.use(await buildServer(parts));
  const url = await api.listen(config.host, config.port);
  log.info({ url, store: store.description, actorDomain }, 'api listening');
  await claimIncarnation(parts, stop);
  if (!stop.aborted) await once(stop, 'abort');
  log.info({ drainMs: config.drainMs }, 'api stopping');
  await api.close(config.drainMs);
}

/** No actor can be claimed before the registry's life has its number, and for that the store must be there. */
async function claimIncarnation(parts: Parameters<typeof buildServer>[0], stop: AbortSignal): Promise<void> {
  const { registry, store, log } = parts;
  while (!stop.aborted) {
    try {
      await ensureIncarnation(registry, store, { signal: stop });
      return;
    } catch (error) {
      if (!toDormouseError(error).retryable) throw error;
      log.warn({ err: error }, 'waiting for redis and the store');
      await delay(incarnationRetryMs, undefined, { signal: stop }).catch(() => undefined);
    }
  }
}

/** The first signal asks to stop in order; the second one does not wait. */
function stopRequest(log: Logger): AbortSignal {
  const stop = new AbortController();
  const ask = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(1);
    log.info({ signal }, 'asked to stop');
    stop.abort(new Error('the api is stopping'));
  };
  process.on('SIGTERM', ask).on('SIGINT', ask);
  return stop.signal;
}

try {
  const config = readConfig();
  const log = createLogger(config.logLevel, { process: 'api' });
  await main(config, log);
  // Whatever still holds the process open is no longer ours to wait for.
  setTimeout(() => process.exit(0), closeLimitMs).unref();
} catch (error) {
  const { code, message } = toDormouseError(error);
  process.stderr.write(`${JSON.stringify({ level: 60, process: 'api', code, msg: message })}\n`);
  process.exitCode = 1;
}
