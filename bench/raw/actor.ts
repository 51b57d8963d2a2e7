/**
 * The floor: one actor's life with the bare tools, as a person would script it. Same asset set, memory size, image and
 * guest as the platform; no queue, registry, store or proxy around it.
 *
 *   boot ──► golden ──► asleep ◄─────────── suspend
 *                         │                    ▲
 *                         └──── wake ────► running
 *
 * Each answer is checked: it counts on from the one before, so no figure is of an actor that lost its state.
 */
import { unlink } from 'node:fs/promises';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { bootRaw, captureGolden, type TimedBoot } from './boot.ts';
import { openGuest, type RawGuest, type RawOptions } from './guest.ts';
import { noPages } from './memory.ts';
import { runProgram } from './program.ts';
import { restoreRaw, type RawSnapshot, type TimedWake } from './restore.ts';
import { requireComplete, suspendRaw, type TimedSuspend } from './suspend.ts';
import type { RawVm } from './vm.ts';

export interface RawActor extends AsyncDisposable {
  /** Boots a VM to its first answer, and ends it: the actor is not touched. */
  boot(signal: AbortSignal): Promise<Omit<TimedBoot, 'vm'>>;
  wake(how: 'pooled' | 'started', signal: AbortSignal): Promise<TimedWake>;
  suspend(signal: AbortSignal): Promise<TimedSuspend>;
  /** Runs one more program in the container and returns what it printed. */
  run(command: readonly string[], signal: AbortSignal): Promise<string>;
  vm(): RawVm;
  /** The next wake is the golden's again, as if it had never run. */
  startOver(): Promise<void>;
}

export async function createRawActor(options: RawOptions, signal: AbortSignal): Promise<RawActor> {
  await using undo = new AsyncDisposableStack();
  const guest = undo.use(await openGuest(options, signal));
  const actor = undo.use(await rawActorOf(guest, signal));
  const resources = undo.move();
  return { ...actor, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** Boots once, for the golden. */
export async function rawActorOf(guest: RawGuest, signal: AbortSignal): Promise<RawActor> {
  await using undo = new AsyncDisposableStack();
  const { vm: booted } = await bootRaw(guest, signal);
  undo.use(booted);
  await captureGolden(guest, booted, signal);
  const golden: RawSnapshot = { device: guest.golden.device, changed: noPages };
  let snapshot = golden;
  let running: RawVm | undefined;
  let calls = 1;
  let suspends = 0;
  const resources = undo.move();
  const theVm = (): RawVm => {
    if (running === undefined) throw new DormouseError('internal', 'raw harness: nothing runs');
    return running;
  };

  return {
    async boot(limit) {
      const { vm, ...timed } = await bootRaw(guest, limit);
      await vm[Symbol.asyncDispose]();
      return timed;
    },
    async wake(how, limit) {
      if (running !== undefined) throw new DormouseError('internal', 'raw harness: the actor runs already');
      const timed = await restoreRaw(guest, snapshot, how === 'pooled', limit);
      running = timed.vm;
      requireCount(timed.body, ++calls);
      return timed;
    },
    async suspend(limit) {
      await using vm = theVm();
      running = undefined;
      const device = `${golden.device}-${suspends}`;
      const timed = await suspendRaw(guest, vm, snapshot.changed.pages, device, limit);
      if (suspends++ === 0) requireComplete(guest, vm, timed.snapshot);
      if (snapshot !== golden) await unlink(snapshot.device);
      snapshot = timed.snapshot;
      return timed;
    },
    run: (command, limit) => runProgram(theVm().agentSocket, command, limit),
    vm: theVm,
    async startOver() {
      if (snapshot !== golden) await unlink(snapshot.device);
      [snapshot, calls] = [golden, 1];
    },
    async [Symbol.asyncDispose]() {
      await running?.[Symbol.asyncDispose]();
      await resources.disposeAsync();
    },
  };
}

function requireCount(body: string, expected: number): void {
  const { memory, file } = JSON.parse(body) as { memory: number; file: number };
  if (memory === expected && file === expected) return;
  throw new DormouseError('internal', `raw harness: the actor counts ${memory} and ${file} instead of ${expected}`);
}
