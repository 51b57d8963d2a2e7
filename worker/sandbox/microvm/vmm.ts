/**
 * The VMM port inside the micro-VM class: one virtual machine with a memory file, a tap, a virtio-fs socket and an agent
 * channel. A launched VMM is either booting a kernel or waiting for device state to be loaded.
 */
import type { RuntimeKey } from '../../../shared/snapshot/manifest.ts';

export interface VmmOptions {
  /** Short folder for sockets and the console log, owned by the caller. */
  readonly folder: string;
  readonly memoryPath: string;
  readonly memoryMiB: number;
  readonly vcpus: number;
  /** Network namespace and the tap in it; none for a probe. */
  readonly network?: { readonly namespacePath: string; readonly tapName: string };
  /** Socket of a listening virtio-fs daemon; none for a probe. */
  readonly fileSystemSocket?: string;
  readonly mode: 'boot' | 'restore';
}

export interface Vmm extends AsyncDisposable {
  readonly pid: number;
  /** Unix socket of the guest agent's channel. */
  readonly agentSocket: string;
  /** Resolves once nobody is connected there any more and the guest has been sent word of it; at the latest after the limit. */
  agentLeft(limitMs: number, signal: AbortSignal): Promise<void>;
  /** Unix socket of the port that the guest is woken on. */
  readonly wakeSocket: string;
  /** Resolves when the process ends, however it ends, with its last words. */
  readonly exited: Promise<string>;
  pause(signal: AbortSignal): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
  saveDevices(target: string, signal: AbortSignal): Promise<void>;
  loadDevices(source: string, signal: AbortSignal): Promise<void>;
  /** The end of the guest's console output. */
  consoleTail(): Promise<string>;
}

export interface VmmClass {
  readonly runtime: RuntimeKey;
  launch(options: VmmOptions, signal: AbortSignal): Promise<Vmm>;
}
