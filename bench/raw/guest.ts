/**
 * What every raw VM of one template has in common: the machine, the image's root, the container's configuration, and the
 * folders. Disposing it removes everything; VMs must have ended before.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { hostArchitecture, openCurrentAssetSet } from '../../shared/assets/asset-folder.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { createLogger } from '../../shared/telemetry/logger.ts';
import type { ContainerSpec, TemplateSpec } from '../../shared/template/template-spec.ts';
import { createImageStore } from '../../worker/images/image-store.ts';
import { ociRuntimeConfig } from '../../worker/images/runtime-config.ts';
import type { Accelerator, RawMachine, Tuning } from './machine.ts';
import type { RawPlace } from './vm.ts';

export interface RawOptions {
  /** Everything lies below it: made here, removed at the end. Short, for sockets. */
  readonly home: string;
  readonly assetsFolder: string;
  readonly accelerator: Accelerator;
  readonly networkOwner: string;
  readonly spec: TemplateSpec;
}

export interface RawGuest {
  readonly machine: RawMachine;
  readonly place: RawPlace;
  readonly memorySizeBytes: number;
  readonly container: ContainerSpec;
  readonly ociConfigJson: string;
  readonly port: number;
  /** The golden of this guest: its memory (on a tmpfs) and its device state. */
  readonly golden: { readonly memory: string; readonly device: string };
}

export async function openGuest(options: RawOptions, signal: AbortSignal): Promise<RawGuest & AsyncDisposable> {
  await using undo = new AsyncDisposableStack();
  const { home, spec } = options;
  const [container] = spec.containers;
  if (container?.port === undefined) throw new DormouseError('internal', `${spec.name} has no container with a port`);
  const [folder, memoryFolder] = [path.join(home, 'run'), path.join(home, 'memory')];
  for (const made of [folder, memoryFolder]) await mkdir(made, { recursive: true });
  undo.defer(() => removeTree(home, path.dirname(home)));
  await execa('mount', ['-t', 'tmpfs', '-o', 'size=90%,mode=0700', 'dormouse-bench', memoryFolder]);
  undo.defer(async () => {
    await execa('umount', [memoryFolder]);
  });
  const images = undo.use(await createImageStore({ dir: path.join(home, 'images'), log: createLogger('error', {}) }));
  const image = await images.prepare(container.image, { signal });
  return {
    machine: {
      set: await openCurrentAssetSet(options.assetsFolder, hostArchitecture()),
      accelerator: options.accelerator,
      memoryMiB: spec.memoryMiB,
    },
    place: {
      ...{ folder, memoryFolder, networkOwner: options.networkOwner },
      attach: (shared) => images.attach(image, shared, container.name),
    },
    memorySizeBytes: spec.memoryMiB * 1024 * 1024,
    container,
    ociConfigJson: JSON.stringify(await ociRuntimeConfig(container, image)),
    port: container.port,
    golden: { memory: path.join(memoryFolder, 'golden'), device: path.join(memoryFolder, 'golden.device') },
    ...disposing(undo.move()),
  };
}

const disposing = (resources: AsyncDisposableStack): AsyncDisposable => ({
  [Symbol.asyncDispose]: () => resources.disposeAsync(),
});

/** The same guest with other settings, and so with a golden of its own. It ends with the guest that it was made of. */
export const tunedGuest = (guest: RawGuest, name: string, tuning: Tuning): RawGuest => ({
  ...guest,
  machine: { ...guest.machine, tuning },
  golden: { memory: `${guest.golden.memory}-${name}`, device: `${guest.golden.device}-${name}` },
});
