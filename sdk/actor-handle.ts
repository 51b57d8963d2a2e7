/**
 * One actor: everything that can be done with it, without naming it again. With `await using` it is put to sleep (or
 * deleted) at the end of the scope, also after an error.
 *
 *   await using alice = dormouse.actor('alice');
 *   const response = await alice.fetch('/increment', { method: 'POST' });
 */
import { actorFetch, type ActorFetch } from './actor-call.ts';
import type { Actor, ActorState, Explanation, Generation } from './actor-shapes.ts';
import type { Actors, JobOptions, ResumeOptions, StateWaitOptions } from './actors.ts';
import { DormouseApiError } from './api-error.ts';
import {
  exec,
  openExecSession,
  type ExecResult,
  type ExecSession,
  type ExecSpec,
  type SessionOptions,
} from './exec.ts';
import { filesOf, type Files } from './files.ts';
import { logLines, type LogLine, type LogOptions } from './logs.ts';
import type { Operation } from './operations.ts';
import type { CallOptions, ChangeOptions, Transport } from './transport.ts';

export interface HandleOptions {
  /** What `await using` does at the end of the scope. Default `suspend`; an actor that is gone by then is no error. */
  readonly atEnd?: 'suspend' | 'delete' | undefined;
}

export interface ActorHandle extends AsyncDisposable {
  readonly id: string;
  /** Wakes the actor if it sleeps. A path may carry a query. Redirects are returned, not followed. */
  readonly fetch: ActorFetch;
  get(options?: CallOptions): Promise<Actor>;
  explain(options?: CallOptions): Promise<Explanation>;
  generations(options?: CallOptions): Promise<readonly Generation[]>;
  suspend(options?: JobOptions): Promise<Operation>;
  pause(options?: JobOptions): Promise<Operation>;
  resume(options?: ResumeOptions): Promise<Operation>;
  wait(state: ActorState, options?: StateWaitOptions): Promise<Actor>;
  delete(options?: Omit<JobOptions, 'idempotencyKey'>): Promise<Operation>;
  /** Runs a program in it, to its end. Wakes the actor, as files do. */
  exec(spec: ExecSpec, options?: ChangeOptions): Promise<ExecResult>;
  /** Runs a program with its input and output open. */
  session(command: readonly string[], options?: SessionOptions): Promise<ExecSession>;
  readonly files: Files;
  /** Wakes nobody. */
  logs(options?: LogOptions): AsyncIterable<LogLine>;
}

/** A suspend that takes longer goes on without us. */
const endWaitMs = 30_000;

export function actorHandle(
  transport: Transport,
  actors: Actors,
  id: string,
  { atEnd = 'suspend' }: HandleOptions = {},
): ActorHandle {
  return {
    id,
    fetch: actorFetch(transport, id),
    get: (options) => actors.get(id, options),
    explain: (options) => actors.explain(id, options),
    generations: (options) => actors.generations(id, options),
    suspend: (options) => actors.suspend(id, options),
    pause: (options) => actors.pause(id, options),
    resume: (options) => actors.resume(id, options),
    wait: (state, options) => actors.wait(id, state, options),
    delete: (options) => actors.delete(id, options),
    exec: (spec, options) => exec(transport, id, spec, options),
    session: (command, options) => openExecSession(transport, id, command, options),
    files: filesOf(transport, id),
    logs: (options) => logLines(transport, id, options),
    async [Symbol.asyncDispose]() {
      try {
        await actors[atEnd](id, { waitMs: endWaitMs });
      } catch (error) {
        if (!(error instanceof DormouseApiError) || error.code !== 'actor-not-found') throw error;
      }
    },
  };
}
