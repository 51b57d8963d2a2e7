/**
 * One node: wires the parts, takes the lease, consumes jobs, and on SIGTERM gives everything back in phases.
 *
 * start: clean up after a killed predecessor → assets, network, images → watchdog, lease → recover its actors → jobs
 * stop:  leave placement → suspend every actor → finish jobs → end what is left → lease, watchdog → network, mounts
 *
 * A lease that lapses freezes the node until it has it again (node/lease.ts). One that is lost ends every VM at once:
 * somebody else may be about to start the same actors.
 */
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { DormouseError, toDormouseError } from '../shared/errors/dormouse-error.ts';
import { newPassKey } from '../shared/http/node-pass.ts';
import { openJobSender } from '../shared/jobs/queues.ts';
import { openObjectStore } from '../shared/object-store/open.ts';
import { createTemplateCache } from '../shared/registry/template-cache.ts';
import { openRedisRegistry } from '../shared/registry/redis/driver.ts';
import { ensureIncarnation } from '../shared/registry/incarnation.ts';
import { announcePresence } from '../shared/registry/node-presence.ts';
import type { NodeRecord } from '../shared/registry/records.ts';
import { reportStalls } from '../shared/telemetry/event-loop.ts';
import { createLogger, type Logger } from '../shared/telemetry/logger.ts';
import { meteredStore } from '../shared/telemetry/metered-store.ts';
import { createMeters, type Meters } from '../shared/telemetry/meters.ts';
import { openTracing } from '../shared/telemetry/tracing.ts';
import { createActivationTable } from './activation/activation.ts';
import { watchIdleness } from './activation/idle.ts';
import { createCaptureTable } from './activation/local-capture.ts';
import { watchWantedRoom } from './activation/make-room.ts';
import { readWorkerConfig, type WorkerConfig } from './config.ts';
import type { Door } from './ingress/admit.ts';
import { startIngress, startLocalIngress } from './ingress/server.ts';
import { trustApis } from './ingress/trust.ts';
import { consumeJobs } from './jobs/consume.ts';
import { sweepNetworks } from './network/sweep.ts';
import { readKept } from './logs/read-kept.ts';
import type { NodeContext } from './node-context.ts';
import { startNodeService } from './node-service/server.ts';
import { foresee } from './pool/foresee.ts';
import { createSandboxPool } from './pool/pool.ts';
import { prepareSandbox } from './pool/prepare-sandbox.ts';
import { reportPool } from './pool/report-pool.ts';
import { roomForGoldens, roomForWaiting } from './pool/room.ts';
import { measureNode } from './status/measure-node.ts';
import { measureOperations } from './status/measure-operations.ts';
import { startStatusServer } from './status/server.ts';
import { followDrain } from './node/drain.ts';
import { createFence, type Fence } from './node/fence.ts';
import { clearFolders, prepareFolders } from './node/folders.ts';
import { endActivations, giveBack } from './node/give-back.ts';
import { endVms } from './node/leftover-processes.ts';
import { takeLease, type LeaseGuard } from './node/lease.ts';
import { lockNode } from './node/node-lock.ts';
import { readmitAll } from './node/readmit.ts';
import { placedHere, recoverActors } from './node/recover.ts';
import { startWatchdog } from './node/watchdog.ts';
import { openSandboxes } from './sandbox/open-sandboxes.ts';
import { createPhaseClock } from './sandbox/phase-clock.ts';
import { createGoldenCache } from './snapshot/golden-cache.ts';
import { createKnownLogs } from './snapshot/known-logs.ts';
import { createPartCache } from './snapshot/part-cache.ts';

const recoverLimitMs = 60_000;
/** How long VMs stay frozen for a Redis that does not come back: a restart of its machine, not a night. */
const holdMs = 300_000;
/** The worker ends the hold itself; its watchdog does when it could not. */
const watchdogHoldMs = holdMs + 10_000;
/** Of the lease. A replaced watchdog costs every VM a pause, so a busy machine must not look like a stopped one. */
const watchdogReceiptShare = 0.5;
/** After everything was ended at once: folders, mounts and networks. The next start clears what this one could not. */
const clearAfterLossLimitMs = 5000;

async function main(config: WorkerConfig, log: Logger): Promise<void> {
  const { nodeId, folders } = config;
  await using resources = new AsyncDisposableStack();
  resources.use(reportStalls(log));
  const stop = stopSignal();
  let serves = (): boolean => false;
  const meters = createMeters('worker');
  const tracing = resources.use(await openTracing('dormouse-worker', config.otlpEndpoint, nodeId));
  const status = resources.use(
    await startStatusServer(config.host, config.metricsPort, { serves: () => serves(), meters }),
  );

  const bootId = randomUUID();
  await mkdir(folders.node, { recursive: true });
  const lock = resources.use(await lockNode(folders.node, bootId));
  await prepareFolders(folders);
  resources.defer(() => clearFolders(folders));
  await sweepNetworks(config.networkOwner);
  const store = meteredStore(await openObjectStore(config.storeUrl), meters);
  resources.defer(() => store.close());
  // Before the lease and after everything has ended: a registry that forgot this node knows from it to wait.
  const { deadBootId } = lock;
  resources.use(await announcePresence(store, { nodeId, bootId, deadBootId, leaseMs: config.leaseMs }));
  const { sandboxes, images } = await openSandboxes(config, store, resources, log);

  const registry = measureOperations(openRedisRegistry(config.redisUrl, log), meters);
  resources.defer(() => registry.close());
  await ensureIncarnation(registry, store, { leaseMs: config.leaseMs });
  const sender = resources.use(openJobSender(config.redisUrl, log));

  const activations = createActivationTable();
  const cache = resources.use(await createPartCache({ folder: `${folders.cache}/parts`, maxBytes: config.cacheBytes }));
  const blobs = { store, keyRing: config.keyRing, cache };
  const goldens = resources.use(
    createGoldenCache({
      blobs,
      sandboxes,
      diskFolder: folders.cache,
      memoryFolder: `${folders.memory}/goldens`,
      room: () => roomForGoldens(config.memoryMiB),
    }),
  );
  const pool = resources.use(
    createSandboxPool({
      size: config.poolSize,
      onTake: (outcome) => meters.count('dormouse_pool_takes_total', { outcome }),
      log,
      build: (template, signal) => prepareSandbox({ images, goldens, sandboxes }, template, createPhaseClock(), signal),
      room: (wakesMiB) => roomForWaiting(config.memoryMiB, activations, wakesMiB),
      isCurrent: async ({ spec, revision }) => (await registry.getTemplate(spec.name))?.revision === revision,
    }),
  );
  const context: NodeContext = {
    captures: createCaptureTable(),
    ...{ nodeId, registry, store, blobs, sender, images, sandboxes, goldens, pool, activations, log },
    knownLogs: createKnownLogs(),
    templates: createTemplateCache(registry),
    transferFolder: folders.transfer,
    drainMs: config.drainMs,
  };
  const { leaseMs } = config;
  measureNode(meters, context, { ...config, serves: () => serves() });
  const watchdog = resources.use(
    startWatchdog({ nodeFolder: folders.node, receiptLimitMs: leaseMs * watchdogReceiptShare, log }),
  );
  const fence = createFence({ nodeFolder: folders.node, leaseMs, holdMs: watchdogHoldMs, activations, watchdog });
  const passKey = newPassKey();
  const door: Door = {
    table: activations,
    admits: (activation) => fence.admits(activation),
    trusts: trustApis(passKey, log),
  };
  const ingress = resources.use(await startIngress(config.host, door, log));
  resources.use(await startLocalIngress(bootId, door, log));
  const nodeService = resources.use(await startNodeService(config.host, door, readKept(blobs)));
  const record: NodeRecord = {
    id: nodeId,
    bootId,
    state: 'ready',
    ingressUrl: ingress.url,
    nodeServiceUrl: nodeService.url,
    passKey,
    runtime: sandboxes.runtime,
    slots: config.slots,
    memoryMiB: config.memoryMiB,
    startedAt: new Date().toISOString(),
  };
  const request = { record, leaseMs, holdMs, deadBootId: lock.deadBootId };
  const inherited = await placedHere(context);
  const taken = takeLease(registry, request, leaseGuard(context, fence, meters), log);
  const lease = resources.use(await Promise.race([taken, watchdog.failed.then(lost)]));
  const over = Promise.race([lease.lost, watchdog.failed]);
  void over.then(() => meters.count('dormouse_lease_turns_total', { turn: 'lost' }));
  // Before the lease is given back: nothing of this node runs any more, and nobody has to find that out.
  resources.defer(() => endActivations(activations));
  try {
    await recoverActors(context, inherited, `node ${nodeId} restarted`, AbortSignal.timeout(recoverLimitMs));
    const jobs = resources.use(consumeJobs(context, config.redisUrl, config.jobs, tracing));
    const idleness = resources.use(watchIdleness(context));
    const makingRoom = resources.use(watchWantedRoom(context));
    const draining = resources.use(followDrain(context));
    resources.use(foresee({ registry, pool, nodeId, runtime: sandboxes.runtime, folder: folders.node, log }));
    resources.use(reportPool({ pool, registry, node: record, log }));
    serves = () => fence.serves();
    log.info({ ingress: ingress.url, status: status.url, runtime: sandboxes.runtime }, 'node ready');
    const signal = await Promise.race([stop, over.then(lost)]);
    serves = () => false;
    log.info({ signal }, 'node stopping');
    await Promise.race([giveBack(context, jobs, [idleness, makingRoom, draining]), over.then(lost)]);
  } catch (error) {
    await endVms(folders.node);
    setTimeout(() => process.exit(1), clearAfterLossLimitMs).unref();
    throw error;
  }
}

function lost(reason: string): never {
  throw new DormouseError('shutting-down', `the node ends everything it runs: ${reason}`);
}

const leaseGuard = (context: NodeContext, fence: Fence, meters: Meters): LeaseGuard => ({
  renewed: (atMs) => fence.renewed(atMs),
  freeze: () => {
    fence.freeze();
    void context.pool.drain(); // what waits has never run: nobody misses it, and nothing of it needs to go on
    meters.count('dormouse_lease_turns_total', { turn: 'lapsed' });
  },
  async lift(atMs, signal) {
    meters.count('dormouse_lease_turns_total', { turn: 'regained' });
    await readmitAll(context, fence, await fence.lift(atMs, signal), signal);
    await context.registry.settleNode(context.nodeId);
  },
});

function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal));
  });
}

let log = createLogger('info', { process: 'worker' });
try {
  const environment = process.env; // eslint-disable-line no-restricted-properties -- the one place where a worker's environment enters
  const config = readWorkerConfig(environment);
  delete environment['DORMOUSE_ENCRYPTION_KEYS']; // no program that we start inherits it
  log = createLogger(config.logLevel, { process: 'worker', nodeId: config.nodeId });
  await main(config, log);
  process.exit(0);
} catch (error) {
  const { code, message, details } = toDormouseError(error);
  log.fatal({ code, details, err: error }, message);
  process.exit(1);
}
