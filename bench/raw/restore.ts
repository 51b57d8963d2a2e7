/**
 * The raw restore. Pooled: virtiofsd and QEMU wait in `-incoming defer` with the golden's memory in place, and the clock
 * starts there. Not pooled: the clock starts before any of it; only the network is ready, as in the platform.
 */
import { stopwatch } from '../stopwatch.ts';
import { loadDevices } from './devices.ts';
import type { RawGuest } from './guest.ts';
import { getOnce } from './http.ts';
import { writePages, type ChangedPages } from './memory.ts';
import { launchVm, prepareVm, type RawVm } from './vm.ts';

export interface RawSnapshot {
  /** File of the device state. */
  readonly device: string;
  readonly changed: ChangedPages;
}

export interface TimedWake {
  readonly vm: RawVm;
  readonly runningMs: number;
  readonly firstAnswerMs: number;
  readonly phases: Readonly<Record<string, number>>;
  /** What the actor answered. */
  readonly body: string;
}

/** The caller disposes the VM. */
export async function restoreRaw(
  guest: RawGuest,
  snapshot: RawSnapshot,
  pooled: boolean,
  signal: AbortSignal,
): Promise<TimedWake> {
  const prepared = await prepareVm(guest.place, signal);
  const whole = stopwatch();
  const beginning = { mode: 'incoming', goldenMemory: guest.golden.memory } as const;
  const vm = await launchVm(guest.machine, prepared, beginning, signal);
  whole.lap('start');
  const clock = pooled ? stopwatch() : whole;
  try {
    writePages(vm.memory, snapshot.changed);
    clock.lap('pages');
    await loadDevices(vm, snapshot.device, signal);
    clock.lap('devices');
    await vm.command('cont', {}, signal);
    clock.lap('cont');
    const runningMs = clock.totalMs();
    const body = await getOnce(vm.address, guest.port, '/', signal);
    clock.lap('answer');
    return { vm, runningMs, firstAnswerMs: clock.totalMs(), phases: clock.laps, body };
  } catch (cause) {
    await vm[Symbol.asyncDispose]();
    throw cause;
  }
}
