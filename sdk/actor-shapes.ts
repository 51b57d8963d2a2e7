/** An actor as the api shows it: its record, why it is so, and its kept snapshots. */
import type { Phases, StoredError } from './operations.ts';
import type { PageRequest } from './paging.ts';

export type ActorState =
  'suspended' | 'resuming' | 'running' | 'pausing' | 'paused' | 'suspending' | 'failed' | 'deleting';

export type StartKind = 'cold' | 'warm' | 'hot';

export interface Actor {
  readonly id: string;
  readonly template: string;
  readonly revision: string;
  readonly state: ActorState;
  /** When the state began. */
  readonly since: string;
  readonly createdAt: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly memoryMiB: number;
  readonly coldStart: boolean;
  readonly epoch?: string;
  readonly node?: string;
  /** Where it ran last. */
  readonly lastNode?: string;
  /** Of a paused actor: what its node keeps of it; not durable. */
  readonly capture?: { readonly capturedAt: string; readonly sizeBytes: number };
  /** Newest committed snapshot; 0 is the template's golden. */
  readonly generation: number;
  /** When the newest durable state was captured, and how long ago that is. */
  readonly durableAt: string;
  readonly durableAgeMs: number;
  readonly deadlineAt?: string;
  readonly reason: string;
  readonly lastError?: StoredError;
  readonly lastStart?: { readonly kind: StartKind; readonly at: string; readonly phases: Phases };
  readonly sizes?: Readonly<Record<string, number>>;
}

export interface ActorSpec {
  /** A DNS label; the api makes one up when it is left out. */
  readonly id?: string | undefined;
  readonly template: string;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Its first start boots a VM instead of cloning the template's golden. */
  readonly coldStart?: boolean | undefined;
}

export interface ActorFilter extends PageRequest {
  readonly state?: ActorState | undefined;
  readonly template?: string | undefined;
  /** `name=value`, or `name` for any value. */
  readonly label?: string | undefined;
}

/** A kept snapshot; generation 0 is the golden of the template. */
export interface Generation {
  readonly generation: number;
  /** Its entry in the actor's log. */
  readonly seq: number;
  readonly kind: 'golden' | 'snapshot';
  readonly capturedAt: string;
  readonly epoch?: string;
  readonly node?: string;
  readonly sizes?: Readonly<Record<string, number>>;
}

/** Why the actor is in its state, what it waits for, until when, and what happens then. */
export interface Explanation {
  readonly id: string;
  readonly state: ActorState;
  readonly since: string;
  readonly reason: string;
  readonly waitsFor: string;
  readonly until?: string;
  readonly then: string;
  readonly lastError?: StoredError;
  readonly events: readonly {
    readonly at: string;
    readonly state: string;
    readonly epoch?: string;
    readonly node?: string;
    readonly reason: string;
  }[];
}
