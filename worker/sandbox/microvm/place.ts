/**
 * Where a micro-VM lives: its folder, its network, its shared folder with the lowers below it. All of it is on one
 * clean-up stack, to which whoever starts processes there adds them.
 *
 *   <runFolder>/<n>/         sockets, console log, shared folder (lowers are mounted below it); short, for socket paths
 *   <runFolder>/<n>/unused   there while no actor has it, so that a look from outside can tell a VM in waiting from one in
 *                            use; it says `ready` once it waits
 *   <memoryFolder>/<n>       the guest's memory, on a tmpfs
 *   <memoryFolder>/<n>.base  another name of the base's memory that it was made from, if any
 */
import { link, mkdir, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { removeTree } from '../../../shared/process/remove-tree.ts';
import type { NetworkPool } from '../../network/pool.ts';
import type { PhaseClock } from '../phase-clock.ts';
import type { Lower, SandboxSpec } from '../sandbox.ts';
import type { VmmOptions } from './vmm.ts';

export interface PlaceOptions {
  readonly networks: NetworkPool;
  readonly runFolder: string;
  readonly memoryFolder: string;
}

export interface Place {
  readonly folder: string;
  readonly sharedFolder: string;
  readonly memoryPath: string;
  readonly address: string;
  readonly network: NonNullable<VmmOptions['network']>;
  readonly resources: AsyncDisposableStack;
}

export async function makePlace(
  options: PlaceOptions,
  name: string,
  spec: SandboxSpec,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<Place> {
  const resources = new AsyncDisposableStack();
  const folder = path.join(options.runFolder, name);
  const sharedFolder = path.join(folder, 'shared');
  const memoryPath = path.join(options.memoryFolder, name);
  try {
    await mkdir(sharedFolder, { recursive: true, mode: 0o700 });
    resources.defer(() => removeTree(folder, options.runFolder));
    await writeFile(unusedMark(folder), '');
    resources.defer(() => unlink(memoryPath).catch(() => undefined));
    const slot = await clock.measure('network', () => options.networks.acquire({ egress: spec.egress, signal }));
    resources.use(slot);
    return { folder, sharedFolder, memoryPath, address: slot.address, network: slot, resources };
  } catch (cause) {
    await resources.disposeAsync();
    throw cause;
  }
}

/**
 * A name of its own for the base's memory, which must stay as long as this place: what changed is counted against it.
 * Whoever keeps bases sees by the number of names that one is in use. Both lie on the same tmpfs.
 */
export async function holdBase({ memoryPath, resources }: Place, baseMemoryPath: string): Promise<void> {
  const own = `${memoryPath}.base`;
  await link(baseMemoryPath, own);
  resources.defer(() => unlink(own).catch(() => undefined));
}

const unusedMark = (folder: string): string => path.join(folder, 'unused');

/** It has all that it can have without an actor. */
export const markReady = ({ folder }: Place): Promise<void> => writeFile(unusedMark(folder), 'ready');

/** From here on the VM is an actor's. */
export const takeIntoUse = ({ folder }: Place): Promise<void> => unlink(unusedMark(folder));

/** Mounts the lowers below the shared folder; a guest that runs already sees them appear. */
export async function attachLowers(place: Place, lowers: readonly Lower[], clock: PhaseClock): Promise<void> {
  await clock.measure('lower', async () => {
    for (const lower of lowers) place.resources.use(await lower.attach(place.sharedFolder));
  });
}
