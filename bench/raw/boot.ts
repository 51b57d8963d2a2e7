/** The raw cold boot: kernel, agent, container, first answer. And the golden, captured from a VM that was booted so. */
import { rename } from 'node:fs/promises';
import { connectAgent } from '../../worker/guest/agent-client.ts';
import { stopwatch } from '../stopwatch.ts';
import { saveDevices } from './devices.ts';
import type { RawGuest } from './guest.ts';
import { getOnce } from './http.ts';
import { launchVm, prepareVm, type RawVm } from './vm.ts';

/** Emulated boots take 3 to 5 s on a quiet machine. */
const bootLimitMs = 60_000;
/** The agent's own bound on a start. */
const startLimitMs = 30_000;
const quiesceLimitMs = 10_000;
const probeIntervalMs = 100;

export interface TimedBoot {
  readonly vm: RawVm;
  readonly firstAnswerMs: number;
  readonly phases: Readonly<Record<string, number>>;
}

/** The caller disposes the VM. */
export async function bootRaw(guest: RawGuest, signal: AbortSignal): Promise<TimedBoot> {
  const prepared = await prepareVm(guest.place, signal);
  const clock = stopwatch();
  const vm = await launchVm(guest.machine, prepared, { mode: 'boot' }, signal);
  try {
    clock.lap('vmm');
    await vm.command('cont', {}, signal);
    await startContainer(guest, vm, clock.lap, signal);
    await getOnce(vm.address, guest.port, '/', signal);
    clock.lap('answer');
    return { vm, firstAnswerMs: clock.totalMs(), phases: clock.laps };
  } catch (cause) {
    await vm[Symbol.asyncDispose]();
    throw cause;
  }
}

async function startContainer(
  { container, ociConfigJson, port, memorySizeBytes }: RawGuest,
  vm: RawVm,
  lap: (name: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const agent = connectAgent(vm.agentSocket);
  const hangUp = (): void => agent.close(); // fails the call under way
  signal.addEventListener('abort', hangUp, { once: true });
  try {
    await agent.hello(bootLimitMs);
    lap('boot');
    const probe = { httpPath: container.readiness?.path ?? '', port, intervalMs: probeIntervalMs };
    const upperSizeBytes = BigInt(memorySizeBytes / 2);
    await agent.start([{ name: container.name, ociConfigJson, probe, upperSizeBytes }], startLimitMs);
    lap('containers');
  } finally {
    signal.removeEventListener('abort', hangUp);
    agent.close();
  }
}

/** Stops the VM for good and keeps its memory and device state as the golden. */
export async function captureGolden(guest: RawGuest, vm: RawVm, signal: AbortSignal): Promise<void> {
  const agent = connectAgent(vm.agentSocket);
  await agent.quiesce(quiesceLimitMs).finally(() => agent.close());
  await vm.command('stop', {}, signal);
  await saveDevices(vm, guest.golden.device, signal);
  await rename(vm.memory, guest.golden.memory);
  await vm[Symbol.asyncDispose]();
}
