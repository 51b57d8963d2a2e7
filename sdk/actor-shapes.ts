/** An actor as the api shows it (generated/api.ts), and how actors are chosen. */
import type { Actor, ActorSpec, Explanation, Generation } from './generated/api.ts';
import type { PageRequest } from './paging.ts';

export type { Actor, ActorSpec, Explanation, Generation };

export type ActorState = Actor['state'];

export interface ActorFilter extends PageRequest {
  readonly state?: ActorState | undefined;
  readonly template?: string | undefined;
  /** `name=value`, or `name` for any value. */
  readonly label?: string | undefined;
}
