/** The micro-VM sandbox class: builds VMs from a VMM, the network pool and a node's folders. */
import { rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import { openWakePort } from '../../../shared/proto/wake-port.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import { createPhaseClock, type PhaseClock } from '../phase-clock.ts';
import type { Capture, Sandbox, SandboxClass, SandboxSpec } from '../sandbox.ts';
import { launch, type Programs } from './launch.ts';
import { guestMemory } from './memory/guest-memory.ts';
import { applyStreamInThread, warmMemoryThread } from './memory/memory-thread.ts';
import { createMemoryFile, microvm } from './microvm.ts';
import { attachLowers, makePlace, takeIntoUse, type Place, type PlaceOptions } from './place.ts';
import { prepareIn } from './prepared.ts';
import { createUnpackedZygotes, type UnpackedZygote } from './unpacked-zygotes.ts';
import type { Zygotes } from './zygotes.ts';

export interface MicrovmClassOptions extends Programs, PlaceOptions {
  readonly zygotes: Zygotes;
  /** The machine has no memory for what only makes starts faster. */
  readonly isShort: () => boolean;
  readonly log: Logger;
}

export function microvmClass(options: MicrovmClassOptions): SandboxClass {
  warmMemoryThread(path.join(options.memoryFolder, 'warm-up'));
  const unpacked = createUnpackedZygotes({ ...options, folder: path.join(options.memoryFolder, 'zygotes') });
  let counter = 0;
  const placeWithLowers = async (spec: SandboxSpec, clock: PhaseClock, signal: AbortSignal): Promise<Place> => {
    const place = await makePlace(options, String(++counter), spec, clock, signal);
    return attachLowers(place, spec.lowers, clock).then(
      () => place,
      async (cause: unknown) => {
        await place.resources.disposeAsync();
        throw cause;
      },
    );
  };
  return {
    runtime: options.vmmClass.runtime,
    async boot(spec, clock, signal) {
      const fromZygote = await unpacked.use(spec, async (zygote) => {
        const place = await placeWithLowers(spec, clock, signal);
        try {
          return await clock.measure('zygote', () => restoreZygote(options, place, spec, zygote, signal));
        } catch (cause) {
          if (signal.aborted) throw cause;
          options.log.warn({ err: cause }, 'a zygote could not be restored, booting instead');
          await unpacked.discard(spec);
          return undefined;
        }
      });
      return fromZygote ?? (await bootIn(options, await placeWithLowers(spec, clock, signal), spec, clock, signal));
    },
    async prepare(spec, baseMemoryPath, clock, signal) {
      const first = baseMemoryPath === undefined ? undefined : { memoryPath: baseMemoryPath, isBase: true };
      return prepareIn(options, await placeWithLowers(spec, clock, signal), spec, first, clock, signal);
    },
    unpackBase,
  };
}

export const unpackBase: SandboxClass['unpackBase'] = async (memory, memorySizeBytes, target, signal) => {
  const partial = `${target}.partial`;
  try {
    await createMemoryFile(partial, memorySizeBytes);
    await applyStreamInThread(memory, partial, memorySizeBytes, signal);
    await rename(partial, target);
  } catch (cause) {
    await unlink(partial).catch(() => undefined);
    throw cause;
  }
};

/** Its clock is of another day and its random numbers are those of its siblings: both are put right before anything runs. */
async function restoreZygote(
  options: MicrovmClassOptions,
  place: Place,
  spec: SandboxSpec,
  { memoryPath, devicePath }: UnpackedZygote,
  signal: AbortSignal,
): Promise<Sandbox> {
  const within = createPhaseClock(); // its own steps are no phases of the start
  // A capture of what it becomes is counted against a golden, or nothing.
  const prepared = await prepareIn(options, place, spec, { memoryPath, isBase: false }, within, signal);
  const vm = await prepared.restore({ memoryPaths: [], devicePath }, within, signal);
  try {
    await vm.wake(undefined, signal);
    return vm;
  } catch (cause) {
    await vm[Symbol.asyncDispose]();
    throw cause;
  }
}

async function bootIn(
  options: MicrovmClassOptions,
  place: Place,
  spec: SandboxSpec,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<Sandbox> {
  try {
    await takeIntoUse(place);
    await createMemoryFile(place.memoryPath, spec.memoryMiB * 1024 * 1024);
    const { vmm, watch } = await launch(options, place, spec, 'boot', clock, signal);
    const wakePort = place.resources.use(await openWakePort(vmm.wakeSocket, signal));
    const vm = microvm({ ...place, spec, vmm, wakePort, memory: guestMemory(watch, undefined) });
    await vmm.run(signal);
    await clock.measure('boot', () => vm.booted(signal));
    await clock.measure('keep', () => options.zygotes.keep(spec, (folder) => captureZygote(vm, folder, signal)));
    await vm.wake(undefined, signal); // the message that it booted on was sent seconds ago, and so is its clock
    return vm;
  } catch (cause) {
    await place.resources.disposeAsync();
    throw cause;
  }
}

/** The agent is up and nothing is mounted yet: what comes after this belongs to one template alone. */
async function captureZygote(vm: Sandbox, folder: string, signal: AbortSignal): Promise<Capture> {
  await vm.freeze(createPhaseClock(), signal); // no phases of the start that it belongs to
  try {
    return await vm.capture(folder, undefined, signal);
  } finally {
    await vm.thaw(signal);
  }
}
