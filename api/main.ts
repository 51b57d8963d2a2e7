/**
 * The api process: opens the parts, serves, and stops in phases. Starting fails with one line that says what is wrong
 * (`invalid-configuration`, a port that is taken, a store that refuses us); a Redis or a store that does not answer is told
 * by /readyz instead, so that it may come later.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { toDormouseError } from '../shared/errors/dormouse-error.ts';
import { openJobSender } from '../shared/jobs/queues.ts';
import { openObjectStore } from '../shared/object-store/open.ts';
import { openRedisRegistry } from '../shared/registry/redis/driver.ts';
import { reportStalls } from '../shared/telemetry/event-loop.ts';
import { createLogger, type Logger } from '../shared/telemetry/logger.ts';
import { meteredStore } from '../shared/telemetry/metered-store.ts';
import { createMeters } from '../shared/telemetry/meters.ts';
import { openTracing } from '../shared/telemetry/tracing.ts';
import { readConfig, type ApiConfig } from './config.ts';
import { startGarbageCollection } from './scheduler/collect-garbage.ts';
import { awaitFirstLife, keepRegistryAlive } from './scheduler/keep-registry.ts';
import { startReaper } from './scheduler/reaper.ts';
import { seeNodes } from './scheduler/seen-nodes.ts';
import { createFairGate } from './scheduler/fair-gate.ts';
import { startsAtOnce } from './scheduler/lanes.ts';
import { buildServer } from './server.ts';
import { startWebhooks } from './webhooks/send-webhooks.ts';

/** What is left to do after the calls have ended takes no longer, or is stuck. */
const closeLimitMs = 10_000;

async function main(config: ApiConfig, log: Logger): Promise<void> {
  const stop = stopRequest(log);
  await using resources = new AsyncDisposableStack();
  resources.use(reportStalls(log));
  const registry = openRedisRegistry(config.redisUrl, log);
  resources.defer(() => registry.close());
  const meters = createMeters('api');
  const holder = randomUUID();
  const tracing = resources.use(await openTracing('dormouse-api', config.otlpEndpoint, holder));
  const store = meteredStore(await openObjectStore(config.storeUrl), meters);
  resources.defer(() => store.close());
  const jobs = resources.use(openJobSender(config.redisUrl, log));
  const { token, actorDomain, maxParked } = config;
  const starts = createFairGate(startsAtOnce);
  const seen = seeNodes(registry);
  const parts = { registry, store, jobs, starts, seen, log, meters, tracing, token, actorDomain, maxParked };
  resources.use(startReaper(parts, { holder, graceMs: config.leaseMs }));
  resources.use(startGarbageCollection(parts, { holder }));
  resources.use(startWebhooks(parts, { holder }));
  const api = resources.use(await buildServer(parts));
  const url = await api.listen(config.host, config.port);
  log.info({ url, store: store.description, actorDomain }, 'api listening');
  await awaitFirstLife(parts, config.leaseMs, stop);
  await using _keeper = keepRegistryAlive(parts, { holder, leaseMs: config.leaseMs });
  if (!stop.aborted) await once(stop, 'abort');
  log.info({ drainMs: config.drainMs }, 'api stopping');
  await api.close(config.drainMs);
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
