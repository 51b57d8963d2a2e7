/** Starts the two processes of a micro-VM in its place: the file system daemon, then the VMM that is its client. */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { PhaseClock } from '../phase-clock.ts';
import type { SandboxSpec } from '../sandbox.ts';
import { pagesSwappedOut, type TouchWatch } from './memory/touched-pages.ts';
import type { Place } from './place.ts';
import { startVirtiofsd, type FileSystemDaemon } from './virtiofs/virtiofsd.ts';
import type { Vmm, VmmClass, VmmOptions } from './vmm.ts';

/** Between the end of a VM and that of its daemon lie a few ms; on a busy machine its words come much later. */
const lastWordsMs = 2000;

export interface Programs {
  readonly vmmClass: VmmClass;
  /** Argument prefix that runs virtiofsd. */
  readonly virtiofsd: readonly string[];
}

export interface Launched {
  readonly vmm: Vmm;
  /** What tells which pages of the guest's memory the two have touched. */
  readonly watch: TouchWatch;
}

export async function launch(
  programs: Programs,
  place: Place,
  spec: SandboxSpec,
  mode: VmmOptions['mode'],
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<Launched> {
  const swappedOut = pagesSwappedOut();
  return clock.measure('vmm', async () => {
    const { folder, memoryPath, network, sharedFolder, resources } = place;
    const daemon = await startVirtiofsd(programs.virtiofsd, sharedFolder, path.join(folder, 'fs.sock'), signal);
    resources.use(daemon);
    const { memoryMiB, vcpus } = spec;
    const vmm = await programs.vmmClass.launch(
      { folder, memoryPath, memoryMiB, vcpus, network, fileSystemSocket: daemon.socketPath, mode },
      signal,
    );
    resources.use(vmm);
    const memorySizeBytes = memoryMiB * 1024 * 1024;
    const watch = { memoryPath, memorySizeBytes, vmmPid: vmm.pid, daemonPid: daemon.pid, swappedOut };
    return { vmm: endingWith(daemon, vmm), watch };
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
