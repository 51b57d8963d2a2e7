/** What the checker works with besides the history: facts from the store, the nodes' logs and the driver. */
import type { Finding } from '../../shared/fsck/finding.ts';
import type { HistoryEvent } from './history.ts';

/** The epochs of one actor's log in the store, oldest first. A fence may be missing: retention removes old ones. */
export type LogFact =
  | {
      readonly kind: 'snapshot';
      readonly seq: number;
      readonly epoch: string;
      readonly generation: number;
      /** Between the VM's freeze and its going on (or its end). */
      readonly capturedAt: number;
    }
  | { readonly kind: 'fence'; readonly seq: number; readonly epoch: string };

/** A stretch of time in which an activation's VM could run. */
export interface RunningInterval {
  readonly actor: string;
  readonly epoch: string;
  readonly node: string;
  /** The virtual machine: one activation must not have two. */
  readonly vm: string;
  readonly from: number;
  /** Undefined: it runs still. */
  readonly to: number | undefined;
  /** False when it was long enough for its process to be seen, and that was not. */
  readonly seen: boolean;
}

export interface Strike {
  readonly fault: string;
  readonly target: string;
  readonly from: number;
  readonly to: number;
  /** False when there was nothing to strike. */
  readonly hit: boolean;
}

export interface FinalActor {
  readonly actor: string;
  readonly state: string;
  /** How long after the last fault it took to be stable; undefined when it never was. */
  readonly settledAfterMs: number | undefined;
  /** Why its last call was not answered. */
  readonly silent?: string;
}

/** What fsck says of the store in the end: how many objects are alive, and each that is not. */
export interface StoreState {
  readonly live: number;
  readonly others: readonly Finding[];
}

export interface Evidence {
  readonly actors: readonly string[];
  readonly history: readonly HistoryEvent[];
  readonly logs: ReadonlyMap<string, readonly LogFact[]>;
  readonly intervals: readonly RunningInterval[];
  readonly strikes: readonly Strike[];
  readonly finals: readonly FinalActor[];
  /** What was still there when everything slept, or had stopped, in words: a VM that nobody holds, a process, a mount. */
  readonly leftovers: readonly string[];
  readonly store: StoreState;
}

export interface Violation {
  readonly rule: string;
  readonly actor?: string;
  readonly words: string;
}

/** Orders `"<incarnation>.<counter>"` by number. */
export function compareEpochs(a: string, b: string): number {
  const [incarnationA = 0, counterA = 0] = a.split('.').map(Number);
  const [incarnationB = 0, counterB = 0] = b.split('.').map(Number);
  return incarnationA - incarnationB || counterA - counterB;
}
