/** Actors: create, look, wake, put to sleep, delete. Calling one is actor-call.ts. */
import { DormouseApiError } from './api-error.ts';
import type { Actor, ActorFilter, ActorSpec, ActorState, Explanation, Generation } from './actor-shapes.ts';
import type { Operation } from './operations.ts';
import { everyItem, type Page } from './paging.ts';
import { waitedInVain } from './polling.ts';
import { queryString, segment } from './request-path.ts';
import type { ApiRequest, CallOptions, ChangeOptions, Transport } from './transport.ts';

export interface JobOptions extends ChangeOptions {
  /** Lets the api answer when the job is done or this time is over, rather than at once. */
  readonly waitMs?: number | undefined;
}

export interface ResumeOptions extends JobOptions {
  readonly node?: string | undefined;
}

export interface StateWaitOptions extends CallOptions {
  /** Default 60 s. */
  readonly timeoutMs?: number | undefined;
}

export interface Actors {
  create(spec: ActorSpec, options?: ChangeOptions): Promise<Actor>;
  get(id: string, options?: CallOptions): Promise<Actor>;
  page(filter?: ActorFilter & CallOptions): Promise<Page<Actor>>;
  list(filter?: ActorFilter & CallOptions): AsyncIterable<Actor>;
  /** Its objects are removed by a job. */
  delete(id: string, options?: Omit<JobOptions, 'idempotencyKey'>): Promise<Operation>;
  suspend(id: string, options?: JobOptions): Promise<Operation>;
  /** Keeps a running actor on its node without a VM: fast, but durable only once it is suspended. */
  pause(id: string, options?: JobOptions): Promise<Operation>;
  resume(id: string, options?: ResumeOptions): Promise<Operation>;
  /** Returns the actor in that state; throws `wait-timeout` when it did not get there in time. */
  wait(id: string, state: ActorState, options?: StateWaitOptions): Promise<Actor>;
  explain(id: string, options?: CallOptions): Promise<Explanation>;
  generations(id: string, options?: CallOptions): Promise<readonly Generation[]>;
}

const defaultWaitMs = 60_000;
/** One question of a longer wait: short enough that no proxy in between takes the connection for dead. */
const longestQuestionMs = 20_000;

export function actorsOf(transport: Transport): Actors {
  const pathOf = (id: string, rest = ''): string => `/v1/actors/${segment(id)}${rest}`;
  const read = (path: string, options: CallOptions = {}): Promise<unknown> =>
    transport.json({ method: 'GET', path, ...options });

  const job = async (
    id: string,
    verb: 'suspend' | 'pause' | 'resume',
    body: object,
    options: JobOptions,
  ): Promise<Operation> =>
    (await transport.json({
      method: 'POST',
      path: pathOf(id, `/${verb}`),
      body,
      headers: preferWait(options.waitMs),
      signal: options.signal,
      idempotencyKey: options.idempotencyKey,
    })) as Operation;

  async function page(filter: ActorFilter & CallOptions = {}): Promise<Page<Actor>> {
    const { signal, state, template, label, limit, cursor } = filter;
    const query = queryString({ state, template, label, limit, cursor });
    return (await read(`/v1/actors${query}`, { signal })) as Page<Actor>;
  }

  return {
    create: async (spec, options = {}) => {
      const request: ApiRequest = { method: 'POST', path: '/v1/actors', body: spec, ...options };
      return (await transport.json(request)) as Actor;
    },
    get: async (id, options) => (await read(pathOf(id), options)) as Actor,
    page,
    list: (filter = {}) => everyItem((cursor) => page({ ...filter, cursor }), filter.cursor),
    delete: async (id, { waitMs, signal } = {}) => {
      const request: ApiRequest = { method: 'DELETE', path: pathOf(id), headers: preferWait(waitMs), signal };
      return (await transport.json(request)) as Operation;
    },
    suspend: (id, options = {}) => job(id, 'suspend', {}, options),
    pause: (id, options = {}) => job(id, 'pause', {}, options),
    resume: (id, options = {}) => job(id, 'resume', { node: options.node }, options),
    wait: (id, state, options) => waitForState((path) => read(path, options), pathOf(id, '/wait'), state, options),
    explain: async (id, options) => (await read(pathOf(id, '/explain'), options)) as Explanation,
    generations: async (id, options) =>
      ((await read(pathOf(id, '/generations'), options)) as { readonly items: readonly Generation[] }).items,
  };
}

/** RFC 7240 counts in whole seconds. */
const preferWait = (waitMs: number | undefined): Record<string, string> =>
  waitMs === undefined ? {} : { prefer: `wait=${Math.ceil(waitMs / 1000)}` };

async function waitForState(
  read: (path: string) => Promise<unknown>,
  path: string,
  state: ActorState,
  options: StateWaitOptions = {},
): Promise<Actor> {
  const timeoutMs = options.timeoutMs ?? defaultWaitMs;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const leftMs = Math.ceil(Math.max(1, Math.min(deadline - performance.now(), longestQuestionMs)));
    try {
      return (await read(path + queryString({ state, timeoutMs: leftMs }))) as Actor;
    } catch (error) {
      if (!(error instanceof DormouseApiError) || error.code !== 'wait-timeout') throw error;
      if (performance.now() >= deadline) throw waitedInVain(`${path}?state=${state}`, timeoutMs);
    }
  }
}
