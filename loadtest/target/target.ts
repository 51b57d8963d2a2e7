/**
 * The port between the scenarios and what is measured: something that scales to zero and answers HTTP. Drivers:
 * dormouse.ts (the public API), endpoint.ts (any URL, put to sleep and woken by commands).
 */
import type { StartKind } from '../result/result.ts';

export interface Answer {
  readonly status: number;
  readonly start?: StartKind;
  /** Milliseconds by phase, from `Server-Timing`. */
  readonly phases: Record<string, number>;
}

export interface Slept {
  /** What was sent to the store, where the target knows. */
  readonly shippedBytes?: number;
}

/** Where something runs, for targets that say so. */
export interface Placement {
  /** Nodes that can take an actor now: alive and not draining. */
  readyNodes(signal: AbortSignal): Promise<string[]>;
  nodeOf(actor: string, signal: AbortSignal): Promise<string | undefined>;
  /** Orders a wake there; what calls it meanwhile waits for that wake. */
  wakeOn(actor: string, node: string, signal: AbortSignal): Promise<void>;
}

export interface Target {
  readonly url: string;
  /** Something new to call; asleep until it is called, if the target can say so. */
  create(options: { readonly coldStart: boolean; readonly template?: string }, signal: AbortSignal): Promise<string>;
  /** Returns when it is gone: its removal must not run beside the next measurement. */
  remove(actor: string): Promise<void>;
  /** The whole answer, read to its end. Throws when there is none. */
  call(actor: string, path: string, signal: AbortSignal): Promise<Answer>;
  /** Returns when it sleeps. */
  sleep(actor: string, signal: AbortSignal): Promise<Slept>;
  readonly placement?: Placement;
}
