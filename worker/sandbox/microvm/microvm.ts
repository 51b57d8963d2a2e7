/**
 * One micro-VM as a Sandbox: its network slot, shared folder, virtio-fs daemon, memory file, VMM and agent channel. All
 * that it acquires is on one clean-up stack, undone last to first, whatever happened before.
 */
import { open, unlink } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DormouseError } from '../../../shared/errors/dormouse-error.ts';
import { settleAll } from '../../../shared/process/settle-all.ts';
import type { WakePort } from '../../../shared/proto/wake-port.ts';
import { connectAgent, type GuestAgent } from '../../guest/agent-client.ts';
import type { Capture, CapturedPart, ContainerStart, Sandbox, SandboxSpec } from '../sandbox.ts';
import type { GuestMemory } from './memory/guest-memory.ts';
import { compressFile } from './memory/memory-part.ts';
import { toldToGuest } from './guest-identity.ts';
import type { Vmm } from './vmm.ts';

/** A guest that is alive answers a small call within tens of ms, under emulation and load within a few seconds. */
const callLimitMs = 10_000;
/** What a session sent before it ended is on its way on the same connection; a few ms. */
const settleLimitMs = 500;
/** From the end of the agent's connection until the agent is at it: asked sooner, it may answer first. */
const noticeMs = 4;
/** The container runtime's end, the end of the agent's connection, the kernel's own cleaning up. */
const restMs = 1000;
/** Cold boots take 3 to 5 s under emulation on a quiet machine. */
export const bootLimitMs = 60_000;

export interface MicrovmParts {
  readonly spec: SandboxSpec;
  readonly folder: string;
  readonly address: string;
  readonly memory: GuestMemory;
  readonly vmm: Vmm;
  /** Stays connected as long as the VM is there, frozen or not. */
  readonly wakePort: WakePort;
  readonly resources: AsyncDisposableStack;
}

/** `booted` resolves when the agent of a guest that has just been switched on answers. */
export function microvm(parts: MicrovmParts): Sandbox & { booted(signal: AbortSignal): Promise<void> } {
  const { spec, vmm, wakePort, memory, resources } = parts;
  const memorySizeBytes = spec.memoryMiB * 1024 * 1024;
  let agent: GuestAgent | undefined;
  let disposing = false;
  const channel = (): GuestAgent => (agent ??= connectAgent(vmm.agentSocket));
  const hangUp = (): void => {
    agent?.close();
    agent = undefined;
  };
  /** Adds the guest console's last lines to a failure of its agent. */
  const guarded = async <Result>(work: Promise<Result>): Promise<Result> => {
    const ended = vmm.exited.then((words) => {
      throw new DormouseError('vmm-failed', `the virtual machine ended: ${words}`);
    });
    try {
      return await Promise.race([work, ended]);
    } catch (cause) {
      if (!(cause instanceof DormouseError) || cause.code !== 'guest-unreachable') throw cause;
      const details = { ...cause.details, console: await vmm.consoleTail() };
      throw new DormouseError(cause.code, cause.message, { cause, details });
    }
  };
  const quiesce = (signal: AbortSignal): Promise<void> => guarded(wakePort.quiesce(within(signal, callLimitMs)));
  return {
    folder: parts.folder,
    address: parts.address,
    exited: new Promise((resolve) => void vmm.exited.then((words) => disposing || resolve(words))),
    async booted(signal) {
      await guarded(wakePort.wake(undefined, within(signal, bootLimitMs)));
    },
    async start(containers, timeoutMs) {
      await guarded(channel().start(containers.map(agentContainer), timeoutMs));
    },
    async rest(signal) {
      hangUp();
      await delay(restMs, undefined, { signal });
    },
    async wake(identity, signal) {
      await guarded(wakePort.wake(identity && toldToGuest(identity), within(signal, callLimitMs)));
    },
    sessions: {
      exec: () => channel().sessions.exec(),
      readFile: (request) => channel().sessions.readFile(request),
      writeFile: (done) => channel().sessions.writeFile(done),
      logs: (request) => channel().sessions.logs(request),
    },
    async freeze(clock, signal) {
      await clock.measure('quiesce', async () => {
        await quiesce(signal);
        if (agent === undefined) return;
        await agent.settled(settleLimitMs);
        hangUp();
        await vmm.agentLeft(settleLimitMs, signal);
        await delay(noticeMs, undefined, { signal });
        await quiesce(signal); // behind what that end makes the guest do, which would else be part of its next wake
      });
      await clock.measure('freeze', () => vmm.pause(signal));
    },
    async thaw(signal) {
      await memory.beforeThaw(signal);
      await vmm.run(signal);
      memory.running(signal);
    },
    capture: (folder, base, signal, options) =>
      capture(vmm, memory, { memorySizeBytes, folder, base, mayLieOnTop: options?.mayLieOnTop === true }, signal),
    async [Symbol.asyncDispose]() {
      disposing = true;
      hangUp();
      await resources.disposeAsync();
    },
  };
}

const within = (signal: AbortSignal, limitMs: number): AbortSignal =>
  AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);

interface CaptureRequest {
  readonly memorySizeBytes: number;
  readonly folder: string;
  readonly base: string | undefined;
  readonly mayLieOnTop: boolean;
}

/**
 * Memory and devices at the same time. A VM that stands still has ended its requests; to save a device's state writes
 * nothing to the guest's memory (QEMU's own migration reads the last of the memory before it saves the devices).
 */
async function capture(
  vmm: Vmm,
  guest: GuestMemory,
  { memorySizeBytes, folder, base, mayLieOnTop }: CaptureRequest,
  signal: AbortSignal,
): Promise<Capture> {
  const [memory, device] = await settleAll([
    guest.capture(path.join(folder, 'memory'), base, mayLieOnTop, signal),
    captureDevices(vmm, folder, signal),
  ]);
  const { pageCount, comparedPages, isOnTop } = memory;
  return { memorySizeBytes, pageCount, comparedPages, isOnTop, memory, device };
}

async function captureDevices(vmm: Vmm, folder: string, signal: AbortSignal): Promise<CapturedPart> {
  const rawDevices = path.join(folder, 'device.raw');
  await vmm.saveDevices(rawDevices, signal);
  const part = await compressFile(rawDevices, path.join(folder, 'device'), signal);
  await unlink(rawDevices);
  return part;
}

const agentContainer = (container: ContainerStart) => ({
  name: container.name,
  ociConfigJson: JSON.stringify(container.config),
  probe:
    container.probe === undefined
      ? undefined
      : { httpPath: container.probe.path ?? '', port: container.probe.port, intervalMs: container.probe.intervalMs },
  upperSizeBytes: BigInt(container.upperSizeBytes),
});

/** An empty memory file of the guest's size; sparse, so it costs nothing until the guest writes. */
export async function createMemoryFile(file: string, sizeBytes: number): Promise<void> {
  await using handle = await open(file, 'wx', 0o600);
  await handle.truncate(sizeBytes);
}
