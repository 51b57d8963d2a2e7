/** One actor of the platform as the cases see it: woken, called, put to sleep through the public API, each timed. */
import type { DormouseClient } from '../sdk/client.ts';
import type { Operation } from '../sdk/operations.ts';
import { phasesOf } from '../loadtest/server-timing.ts';
import { DormouseError } from '../shared/errors/dormouse-error.ts';

export type Phases = Readonly<Record<string, number>>;

export interface PlatformWake {
  /** From the call arriving at the api until the guest runs: without the handshake with its agent, the call, and its answer. */
  readonly runningMs: number;
  /** At the client, whole. */
  readonly firstAnswerMs: number;
  readonly phases: Phases;
}

/** Longer than the api lets a job of an actor take. */
const waitMs = 130_000;

/** Calls a sleeping actor; `before` is timed with the call (an order to wake on a certain node). */
export async function timedWake(
  client: DormouseClient,
  id: string,
  signal: AbortSignal,
  before?: () => Promise<unknown>,
  path = '/',
): Promise<PlatformWake> {
  const began = performance.now();
  await before?.();
  const response = await client.actor(id).fetch(path, { signal });
  const text = await response.text();
  const firstAnswerMs = performance.now() - began;
  if (response.status !== 200) throw new DormouseError('internal', `${id} answered ${response.status}: ${text}`);
  if (response.headers.get('dormouse-start') === 'hot') throw new DormouseError('internal', `${id} was not asleep`);
  const phases = phasesOf(response.headers.get('server-timing'));
  return { runningMs: runningMs(phases), firstAnswerMs, phases };
}

/**
 * What the node says (`running`, counted from the api's decision), or else an upper bound by the api's own clock: from the
 * call's arrival to its being passed on, less the handshake. The announcement of the running actor is in that.
 */
function runningMs({ running, total = 0, app = 0, guest = 0 }: Phases): number {
  return running ?? total - app - guest;
}

export interface PlatformSuspend {
  /** The actor can neither run nor be called. */
  readonly frozenMs: number;
  /** From the order until the generation is committed. */
  readonly durableMs: number;
  /** At the client, from its order to the answer that it is done: nothing can be missing from it. */
  readonly answeredMs: number;
  readonly bytes: number;
  readonly phases: Phases;
}

export async function timedSuspend(client: DormouseClient, id: string, signal: AbortSignal): Promise<PlatformSuspend> {
  const began = performance.now();
  const operation = await client.actors.suspend(id, { waitMs, signal });
  const answeredMs = performance.now() - began;
  const phases = phasesOfDone(operation);
  const { shippedBytes = 0 } = (await client.actors.wait(id, 'suspended', { signal })).sizes ?? {};
  return { frozenMs: frozenMs(phases), durableMs: durableMs(phases), answeredMs, bytes: shippedBytes, phases };
}

export function phasesOfDone({ state, phases = {}, kind, target, error }: Operation): Phases {
  if (state === 'done') return phases;
  throw new DormouseError('internal', `${kind} of ${target} is ${state}: ${error?.message ?? 'no reason was given'}`);
}

const frozenMs = ({ freeze = 0, capture = 0 }: Phases): number => freeze + capture;

/** The steps up to the commit follow each other; what comes after them is no longer waited for. */
const durableMs = ({ queue = 0, drain = 0, quiesce = 0, freeze = 0, capture = 0, ship = 0, commit = 0 }: Phases) =>
  queue + drain + quiesce + freeze + capture + ship + commit;

/** An actor that has been called once, so that its later wakes are those of an actor that has run. It runs. */
export async function usedActor(client: DormouseClient, template: string, signal: AbortSignal): Promise<string> {
  const { id } = await client.actors.create({ template }, { signal });
  await timedWake(client, id, signal);
  return id;
}

/** The same, asleep. */
export async function sleepingActor(client: DormouseClient, template: string, signal: AbortSignal): Promise<string> {
  const id = await usedActor(client, template, signal);
  await timedSuspend(client, id, signal);
  return id;
}

/** Returns when it is gone: its removal must not run beside the next measurement. */
export async function removeActor(client: DormouseClient, id: string, signal: AbortSignal): Promise<void> {
  await client.actors.delete(id, { waitMs, signal });
}
