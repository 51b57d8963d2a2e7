/** The sandbox class that the configuration names, with the images it runs. What it opens ends with `resources`. */
import { hostArchitecture } from '../../shared/assets/asset-folder.ts';
import { programCommand } from '../../shared/assets/program-command.ts';
import { openOrFetchAssetSet } from '../../shared/assets/ship-asset-set.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';
import type { WorkerConfig } from '../config.ts';
import { createImageStore, type ImageStore } from '../images/image-store.ts';
import { createNetworkPool } from '../network/pool.ts';
import { microvmClass } from './microvm/class.ts';
import { chooseAccelerator } from './microvm/qemu/accelerator.ts';
import { qemuClass } from './microvm/qemu/class.ts';
import { zygoteExchange } from './microvm/zygote-exchange.ts';
import { createZygotes } from './microvm/zygotes.ts';
import type { SandboxClass } from './sandbox.ts';
import { isShort } from '../pool/room.ts';
import { simulatedClass } from './simulated/class.ts';
import { simulatedImages } from './simulated/images.ts';

/** Ready networks: making one takes tens of ms, and a burst of wakes refills while VMs start. */
const networkPoolSize = 2;
/** About 200 MB, once in a node's life. */
const fetchAssetsLimitMs = 600_000;

export interface OpenSandboxes {
  readonly sandboxes: SandboxClass;
  readonly images: ImageStore;
}

export async function openSandboxes(
  config: WorkerConfig,
  store: ObjectStore,
  resources: AsyncDisposableStack,
  log: Logger,
): Promise<OpenSandboxes> {
  if (config.sandbox === 'microvm') return await openMicrovms(config, store, resources, log);
  const { simulatedTimes: times, folders } = config;
  log.warn({ sandbox: config.sandbox, times }, 'this node runs no virtual machines: its actors are simulated');
  return { sandboxes: simulatedClass({ times, runFolder: folders.run }), images: simulatedImages(folders.images) };
}

async function openMicrovms(
  { folders, ...config }: WorkerConfig,
  store: ObjectStore,
  resources: AsyncDisposableStack,
  log: Logger,
): Promise<OpenSandboxes> {
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
  const vmmClass = qemuClass(assets, accelerator);
  const sandboxes = microvmClass({
    vmmClass,
    virtiofsd: programCommand(assets, 'virtiofsd'),
    networks,
    runFolder: folders.run,
    memoryFolder: folders.memory,
    // Beside the asset sets, so that one boot serves all nodes of the machine.
    zygotes: createZygotes({
      assetsFolder: config.assetsFolder,
      origin: { assetSet: assets.contents.digest, runtime: vmmClass.runtime },
      exchange: zygoteExchange(store, assets),
      log,
    }),
    isShort,
    log,
  });
  return { sandboxes, images };
}
