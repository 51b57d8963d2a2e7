/**
 * The first half of a restore: a VMM that waits for a device state, with the base's memory already in its memory file.
 * The second half writes the actor's own pages, loads its devices, and lets it run. Memory and VMM are made ready at the
 * same time: neither needs the other before the device state is loaded.
 */
import { stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { openWakePort, type WakePort } from '../../../shared/proto/wake-port.ts';
import { settleAll } from '../../../shared/process/settle-all.ts';
import type { PhaseClock } from '../phase-clock.ts';
import type { OwnState, PreparedSandbox, Sandbox, SandboxSpec } from '../sandbox.ts';
import { launch, type Programs } from './launch.ts';
import { decompressFile } from './memory/decompress-file.ts';
import { guestMemory, layOver } from './memory/guest-memory.ts';
import type { TouchWatch } from './memory/touched-pages.ts';
import { createMemoryFile, microvm } from './microvm.ts';
import { holdBase, markReady, takeIntoUse, type Place } from './place.ts';
import type { Vmm } from './vmm.ts';

/** What stat counts blocks in, whatever the file system's own are. */
const statBlockBytes = 512;

/** What the memory file holds before the actor's own pages are laid over it. */
export interface FirstPages {
  readonly memoryPath: string;
  /** Whether changes will be counted against it: then it stays for as long as the VM does. */
  readonly isBase: boolean;
}

/** The place is the prepared sandbox's from here on; a failure disposes it. */
export async function prepareIn(
  programs: Programs,
  place: Place,
  spec: SandboxSpec,
  first: FirstPages | undefined,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<PreparedSandbox> {
  const baseMemoryPath = first?.isBase === true ? first.memoryPath : undefined;
  try {
    await createMemoryFile(place.memoryPath, memorySize(spec));
    if (baseMemoryPath !== undefined) await holdBase(place, baseMemoryPath);
    const [{ vmm, watch }] = await settleAll([
      launch(programs, place, spec, 'restore', clock, signal),
      clock.measure('memory', async () => {
        if (first !== undefined) await copyInto(first.memoryPath, place.memoryPath, signal);
      }),
    ]);
    // Before the device state is loaded: the guest then finds the host already there.
    const wakePort = place.resources.use(await openWakePort(vmm.wakeSocket, signal));
    const { blocks } = await stat(place.memoryPath);
    await markReady(place);
    return prepared(place, { spec, vmm, wakePort, watch, baseMemoryPath }, blocks * statBlockBytes);
  } catch (cause) {
    await place.resources.disposeAsync();
    throw cause;
  }
}

const memorySize = ({ memoryMiB }: SandboxSpec): number => memoryMiB * 1024 * 1024;

interface Machine {
  readonly spec: SandboxSpec;
  readonly vmm: Vmm;
  readonly wakePort: WakePort;
  readonly watch: TouchWatch;
  /** What changes are counted against; nothing, when the actor's own part is all there is. */
  readonly baseMemoryPath: string | undefined;
}

function prepared(place: Place, machine: Machine, memoryBytes: number): PreparedSandbox {
  const { resources } = place;
  const { vmm } = machine;
  let disposing = false;
  const dispose = async (): Promise<void> => {
    disposing = true;
    await resources.disposeAsync();
  };
  return {
    exited: new Promise((resolve) => void vmm.exited.then((words) => disposing || resolve(words))),
    memoryBytes,
    async restore(own, clock, signal) {
      try {
        return await restoreInto(place, machine, own, clock, signal);
      } catch (cause) {
        await dispose();
        throw cause;
      }
    },
    [Symbol.asyncDispose]: dispose,
  };
}

async function restoreInto(
  place: Place,
  machine: Machine,
  own: OwnState,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<Sandbox> {
  const { spec, vmm, wakePort, watch, baseMemoryPath } = machine;
  const rawDevices = path.join(place.folder, 'device.raw');
  const [origin] = await clock.measure('memory', () =>
    settleAll([
      layOver(baseMemoryPath, own.memoryPaths, watch, signal),
      takeIntoUse(place),
      decompressFile(own.devicePath, rawDevices, signal),
    ]),
  );
  await clock.measure('load', async () => {
    await vmm.loadDevices(rawDevices, signal);
    await vmm.run(signal);
  });
  void unlink(rawDevices).catch(() => undefined); // it goes with the folder at the latest
  const memory = guestMemory(watch, origin);
  memory.running(signal);
  return microvm({ ...place, spec, vmm, wakePort, memory });
}

/**
 * Copies what is not zero into a file that a VMM may have mapped already: it is never cut short on the way, which would
 * end whoever has it mapped. A process of its own, so that tens of megabytes do not pass through the event loop.
 */
async function copyInto(source: string, target: string, signal: AbortSignal): Promise<void> {
  const args = [`if=${source}`, `of=${target}`, 'bs=256K', 'conv=notrunc,sparse', 'status=none'];
  await execa('dd', args, { cancelSignal: signal });
}
