/**
 * The micro-VM sandbox class: builds VMs from a VMM, the network pool and a node's folders.
 *
 *   <runFolder>/<n>/         sockets, console log, shared folder (lowers are mounted below it); short, for socket paths
 *   <memoryFolder>/<n>       the guest's memory, on a tmpfs
 */
import { mkdir, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { removeTree } from '../../../shared/process/remove-tree.ts';
import type { NetworkPool } from '../../network/pool.ts';
import type { PhaseClock } from '../phase-clock.ts';
import type { RestoreSource, Sandbox, SandboxClass, SandboxSpec } from '../sandbox.ts';
import { applyMemoryPart, decompressFile } from './memory/memory-part.ts';
import { createMemoryFile, microvm } from './microvm.ts';
import { startVirtiofsd, type FileSystemDaemon } from './virtiofs/virtiofsd.ts';
import type { Vmm, VmmClass, VmmOptions } from './vmm.ts';

/** Between the end of a VM and that of its daemon lie a few ms. */
const lastWordsMs = 250;

export interface MicrovmClassOptions {
  readonly vmmClass: VmmClass;
  /** Argument prefix that runs virtiofsd. */
  readonly virtiofsd: readonly string[];
  readonly networks: NetworkPool;
  readonly runFolder: string;
  readonly memoryFolder: string;
}

export function microvmClass(options: MicrovmClassOptions): SandboxClass {
  let counter = 0;
  const nextName = (): string => String(++counter);
  return {
    runtime: options.vmmClass.runtime,
    async boot(spec, clock, signal) {
      const place = await prepare(options, nextName(), spec, clock, signal);
      try {
        await createMemoryFile(place.memoryPath, spec.memoryMiB * 1024 * 1024);
        const vmm = await launch(options, place, spec, 'boot', clock, signal);
        const vm = microvm({ ...place, spec, vmm });
        await vmm.run(signal);
        await clock.measure('boot', () => vm.hello());
        return vm;
      } catch (cause) {
        await place.resources.disposeAsync();
        throw cause;
      }
    },
    async restore(spec, source, clock, signal) {
      const place = await prepare(options, nextName(), spec, clock, signal);
      try {
        return await restoreInto(options, place, spec, source, clock, signal);
      } catch (cause) {
        await place.resources.disposeAsync();
        throw cause;
      }
    },
    async unpackBase(memoryPath, memorySizeBytes, target, signal) {
      const partial = `${target}.partial`;
      try {
        await createMemoryFile(partial, memorySizeBytes);
        await applyMemoryPart(memoryPath, partial, memorySizeBytes, signal);
        await rename(partial, target);
      } catch (cause) {
        await unlink(partial).catch(() => undefined);
        throw cause;
      }
    },
  };
}

interface Place {
  readonly folder: string;
  readonly sharedFolder: string;
  readonly memoryPath: string;
  readonly address: string;
  readonly network: NonNullable<VmmOptions['network']>;
  readonly resources: AsyncDisposableStack;
}

/** Folders, network and lowers: all that is needed before a process starts. */
async function prepare(
  options: MicrovmClassOptions,
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
    resources.defer(() => unlink(memoryPath).catch(() => undefined));
    const slot = await clock.measure('network', () => options.networks.acquire({ egress: spec.egress, signal }));
    resources.use(slot);
    await clock.measure('lower', async () => {
      for (const lower of spec.lowers) resources.use(await lower.attach(sharedFolder));
    });
    return { folder, sharedFolder, memoryPath, address: slot.address, network: slot, resources };
  } catch (cause) {
    await resources.disposeAsync();
    throw cause;
  }
}

async function launch(
  options: MicrovmClassOptions,
  place: Place,
  spec: SandboxSpec,
  mode: VmmOptions['mode'],
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<Vmm> {
  return clock.measure('vmm', async () => {
    const daemon = await startVirtiofsd(
      options.virtiofsd,
      place.sharedFolder,
      path.join(place.folder, 'fs.sock'),
      signal,
    );
    place.resources.use(daemon);
    const { folder, memoryPath, network } = place;
    const { memoryMiB, vcpus } = spec;
    const vmm = await options.vmmClass.launch(
      { folder, memoryPath, memoryMiB, vcpus, network, fileSystemSocket: daemon.socketPath, mode },
      signal,
    );
    place.resources.use(vmm);
    return endingWith(daemon, vmm);
  });
}

/** A guest without its file system can neither read its image nor be captured: its VM ends, and its actor falls back. */
function endingWith(daemon: FileSystemDaemon, vmm: Vmm): Vmm {
  let orphaned: string | undefined;
  const end = async (words: string): Promise<void> => {
    // The daemon ends with its VM too, and then it is the VM that has something to say.
    const first = await Promise.race([vmm.exited, delay(lastWordsMs, undefined, { ref: false })]);
    if (first !== undefined) return;
    orphaned = `its file system daemon ended: ${words}`;
    await vmm[Symbol.asyncDispose]();
  };
  void daemon.exited.then(end).catch(() => undefined); // a VMM that the kernel holds: told by its own end
  return { ...vmm, exited: vmm.exited.then((words) => orphaned ?? words) };
}

/** Starts the VMM while the memory is put in place: neither needs the other before the device state is loaded. */
async function restoreInto(
  options: MicrovmClassOptions,
  place: Place,
  spec: SandboxSpec,
  source: RestoreSource,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<Sandbox> {
  const sizeBytes = spec.memoryMiB * 1024 * 1024;
  const rawDevices = path.join(place.folder, 'device.raw');
  await createMemoryFile(place.memoryPath, sizeBytes);
  const parts = [
    launch(options, place, spec, 'restore', clock, signal),
    clock.measure('memory', async () => {
      if (source.baseMemoryPath !== undefined) await copyInto(source.baseMemoryPath, place.memoryPath, signal);
      if (source.memoryPath !== undefined) {
        await applyMemoryPart(source.memoryPath, place.memoryPath, sizeBytes, signal);
      }
    }),
    decompressFile(source.devicePath, rawDevices, signal),
  ] as const;
  await Promise.allSettled(parts); // after a failure everything is disposed of: nothing must still be made then
  const [vmm] = await Promise.all(parts);
  await clock.measure('load', async () => {
    await vmm.loadDevices(rawDevices, signal);
    await vmm.run(signal);
    await unlink(rawDevices);
  });
  return microvm({ ...place, spec, vmm });
}

/**
 * Copies what is not zero into a file that a VMM may have mapped already: it is never cut short on the way, which would
 * end whoever has it mapped. A process of its own, so that tens of megabytes do not pass through the event loop.
 */
async function copyInto(source: string, target: string, signal: AbortSignal): Promise<void> {
  const args = [`if=${source}`, `of=${target}`, 'bs=256K', 'conv=notrunc,sparse', 'status=none'];
  await execa('dd', args, { cancelSignal: signal });
}
