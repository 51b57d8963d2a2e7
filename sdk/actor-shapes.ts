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
  readonly memoryMiB?: number;
  readonly coldStart?: boolean;
  readonly epoch?: string;
  readonly node?: string;
  /** Newest committed snapshot; 0 is the template's golden. */
  readonly generation: number;
  readonly durableAt?: string;
  readonly deadlineAt?: string;
  readonly reason?: string;
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

/** A kept snapshot. */
export interface Generation {
  readonly generation: number;
  readonly capturedAt?: string;
  readonly sizes?: Readonly<Record<string, number>>;
  readonly [fact: string]: unknown;
}

/** Why the actor is in its state, what it waits for and what happens then; newest events last. */
export interface Explanation {
  readonly state: ActorState;
  readonly since?: string;
  readonly reason?: string;
  readonly events?: readonly Readonly<Record<string, unknown>>[];
  readonly [fact: string]: unknown;
}
