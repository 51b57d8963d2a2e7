/**
 * One node: wires the parts, takes the lease, consumes jobs, and on SIGTERM gives everything back in phases.
 *
 * start: clean up after a killed predecessor → assets, network, images → lease → recover its actors → jobs, idleness
 * stop:  leave placement → suspend every actor → finish jobs → ingress → lease → network, mounts
 *
 * A lost lease ends every VM at once: somebody else may be about to start the same actors.
 */
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { hostArchitecture } from '../shared/assets/asset-folder.ts';
import { openOrFetchAssetSet } from '../shared/assets/ship-asset-set.ts';
import { programCommand } from '../shared/assets/program-command.ts';
import { toDormouseError } from '../shared/errors/dormouse-error.ts';
import { openJobSender } from '../shared/jobs/queues.ts';
import { openObjectStore } from '../shared/object-store/open.ts';
import { openRedisRegistry } from '../shared/registry/redis/driver.ts';
import { ensureIncarnation } from '../shared/registry/incarnation.ts';
import { announcePresence } from '../shared/registry/node-presence.ts';
import type { NodeRecord } from '../shared/registry/records.ts';
import { createLogger, type Logger } from '../shared/telemetry/logger.ts';
import { createActivationTable, type ActivationTable } from './activation/activation.ts';
import { watchIdleness } from './activation/idle.ts';
import { readWorkerConfig, type WorkerConfig } from './config.ts';
import { createImageStore } from './images/image-store.ts';
import { startIngress } from './ingress/server.ts';
import { consumeJobs } from './jobs/consume.ts';
import { createNetworkPool } from './network/pool.ts';
import { sweepNetworks } from './network/sweep.ts';
import type { NodeContext } from './node-context.ts';
import { suspendAll } from './node/drain.ts';
import { clearFolders, prepareFolders } from './node/folders.ts';
import { endProcessesUsing } from './node/leftover-processes.ts';
import { takeLease } from './node/lease.ts';
import { lockNode } from './node/node-lock.ts';
import { recoverActors } from './node/recover.ts';
import { microvmClass } from './sandbox/microvm/class.ts';
import { chooseAccelerator } from './sandbox/microvm/qemu/accelerator.ts';
import { qemuClass } from './sandbox/microvm/qemu/class.ts';
import { createGoldenCache } from './snapshot/golden-cache.ts';

/** Ready networks: making one takes tens of ms, and a burst of wakes refills while VMs start. */
const networkPoolSize = 2;
/** About 200 MB, once in a node's life. */
const fetchAssetsLimitMs = 600_000;
const recoverLimitMs = 60_000;
/** All actors of a node to the store; what is not there by then falls back to its last generation. */
const suspendAllLimitMs = 120_000;

async function main(config: WorkerConfig, log: Logger): Promise<void> {
  const { nodeId, folders } = config;
  await using resources = new AsyncDisposableStack();
  const stop = stopSignal();

  const bootId = randomUUID();
  await mkdir(folders.node, { recursive: true });
  const lock = resources.use(await lockNode(folders.node, bootId));
  await prepareFolders(folders);
  resources.defer(() => clearFolders(folders));
  await sweepNetworks(config.networkOwner);
  const store = await openObjectStore(config.storeUrl);
  resources.defer(() => store.close());
  // Before the lease and after everything has ended: a registry that forgot this node knows from it to wait.
  const { deadBootId } = lock;
  resources.use(await announcePresence(store, { nodeId, bootId, deadBootId, leaseMs: config.leaseMs }));
  // A node without a set takes the one that was staged in the store.
  const assets = await openOrFetchAssetSet(store, config.assetsFolder, hostArchitecture(), {
    signal: AbortSignal.timeout(fetchAssetsLimitMs),
  });
  const accelerator =
    config.accelerator === 'auto'
      ? await chooseAccelerator(assets, { verdict: config.assetsFolder, scratch: folders.node }, log)
      : config.accelerator;
  const networks = resources.use(await createNetworkPool({ owner: config.networkOwner, size: networkPoolSize, log }));
  const images = resources.use(await createImageStore({ dir: folders.images, log }));

  const registry = openRedisRegistry(config.redisUrl, log);
  resources.defer(() => registry.close());
  await ensureIncarnation(registry, store, { leaseMs: config.leaseMs });
  const sender = resources.use(openJobSender(config.redisUrl, log));

  const activations = createActivationTable();
  const sandboxes = microvmClass({
    vmmClass: qemuClass(assets, accelerator),
    virtiofsd: programCommand(assets, 'virtiofsd'),
    networks,
    runFolder: folders.run,
    memoryFolder: folders.memory,
  });
  const goldens = createGoldenCache({
    store,
    sandboxes,
    diskFolder: folders.cache,
    memoryFolder: `${folders.memory}/goldens`,
  });
  const context: NodeContext = {
    ...{ nodeId, registry, store, sender, images, sandboxes, goldens, activations, log },
    transferFolder: folders.transfer,
    drainMs: config.drainMs,
  };
  resources.defer(() => endActivations(activations));
  const ingress = resources.use(await startIngress(config.host, activations, log));
  const record: NodeRecord = {
    id: nodeId,
    bootId,
    state: 'ready',
    ingressUrl: ingress.url,
    runtime: sandboxes.runtime,
    slots: config.slots,
    memoryMiB: config.memoryMiB,
    startedAt: new Date().toISOString(),
  };
  const lease = resources.use(await takeLease(registry, { record, leaseMs: config.leaseMs, deadBootId }, log));
  await recoverActors(nodeId, registry, store, log, AbortSignal.timeout(recoverLimitMs));
  const jobs = resources.use(consumeJobs(context, config.redisUrl));
  resources.use(watchIdleness(context));
  log.info({ accelerator, ingress: ingress.url, runtime: sandboxes.runtime }, 'node ready');

  const reason = await Promise.race([stop, lease.lost.then((words) => ({ lost: words }))]);
  if (typeof reason === 'object') {
    log.fatal({ reason: reason.lost }, 'lease lost, ending every virtual machine');
    await endProcessesUsing(folders.node);
    throw new Error(`lease lost: ${reason.lost}`);
  }
  log.info({ signal: reason }, 'node stopping');
  await registry.setNodeState(nodeId, 'draining');
  const left = await suspendAll(context, suspendAllLimitMs);
  if (left.length > 0) log.error({ actorIds: left }, 'actors fall back to their last generation');
  await jobs.stop();
}

function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal));
  });
}

async function endActivations(activations: ActivationTable): Promise<void> {
  await Promise.allSettled(
    activations.all().map(async (activation) => {
      activations.remove(activation);
      activation.connections.destroy();
      await activation.sandbox[Symbol.asyncDispose]();
    }),
  );
}

let log = createLogger('info', { process: 'worker' });
try {
  const config = readWorkerConfig(process.env); // eslint-disable-line no-restricted-properties -- the one place where a worker's environment enters
  log = createLogger(config.logLevel, { process: 'worker', nodeId: config.nodeId });
  await main(config, log);
  process.exit(0);
} catch (error) {
  const { code, message, details } = toDormouseError(error);
  log.fatal({ code, details, err: error }, message);
  process.exit(1);
}
