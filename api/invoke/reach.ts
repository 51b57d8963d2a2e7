/**
 * Gets one call to its actor, whatever state the actor is in.
 *
 *   running ─► send ─► answered
 *      ▲         │ refused (the activation is over or about to be): look again
 *      │         ▼
 *   changed ◄─ wait ◄─ suspended, paused: wake it (one caller of all wins the claim; without room it parks), and wait
 *
 * A call to an actor that was called a moment ago goes straight to where it was (route-cache.ts); if it is refused there,
 * or there is no such memory, the registry is read. A call that waits holds one of the actor's places, gives up at
 * the template's wake limit (`wake-timeout`; `no-capacity` when it never got room), and is told the reason when the wake
 * it waits for fails. A node that nobody listens on any more got nothing of the call, so that counts as a refusal: the
 * call waits until the actor has left that node. A node that does not know us is asked once more, and given up then. Failures also: `actor-not-found`, `actor-deleted`, `actor-failed`,
 * `actor-asleep`, `incompatible`, `too-many-pending`, `too-many-parked`.
 */
import { deserializeError, DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ForwardOutcome } from '../../shared/http/exchange.ts';
import type { ActorRecord, Phases, StartKind } from '../../shared/registry/records.ts';
import { inScope, type TraceScope } from '../../shared/telemetry/trace-scope.ts';
import type { Access } from '../access/access.ts';
import type { ApiParts } from '../parts.ts';
import type { ActorWatch, Watching } from '../scheduler/actor-watch.ts';
import type { Parking } from '../scheduler/parking.ts';
import type { TemplateCache } from '../../shared/registry/template-cache.ts';
import type { NodeDirectory, NodeTarget } from './node-directory.ts';
import type { PendingRequests } from './pending.ts';
import type { Route, RouteCache } from './route-cache.ts';
import { wakeBudget } from './wake-budget.ts';
import { isAsleep, wakerOf } from './wake-or-park.ts';

export interface ReachParts extends ApiParts {
  readonly watch: ActorWatch;
  readonly templates: TemplateCache;
  readonly nodes: NodeDirectory;
  readonly routes: RouteCache;
  readonly pending: PendingRequests;
  readonly parking: Parking;
  readonly access: Access;
}

export interface Call {
  /** Qualified. */
  readonly id: string;
  readonly mayWake: boolean;
  /** Ends when the client leaves, or this process stops. Asked for once, and only by a call that has to wait. */
  waitSignal(): AbortSignal;
  /** Its trace. One that does not wait may need none, so it is made when it is asked for. */
  readonly trace: () => TraceScope;
}

/** A running activation to send the call to. */
export interface Activation {
  readonly node: string;
  readonly epoch: string;
  readonly target: NodeTarget;
  readonly start: StartKind;
  readonly phases: Phases;
}

export type Send = (activation: Activation) => Promise<ForwardOutcome>;

export async function reach(parts: ReachParts, call: Call, send: Send): Promise<ForwardOutcome> {
  const { id } = call;
  const route = parts.routes.get(id);
  if (route !== undefined) {
    const outcome = await sendAlong(parts, id, route, send, hotStart);
    if (outcome.outcome !== 'refused') return outcome;
  }
  let running: ActorRecord;
  {
    // Opened before the look, so that no change after it is missed; and not kept for as long as an answer streams.
    using watching = parts.watch.open(id);
    const record = await parts.registry.getActor(id);
    if (record?.state !== 'running')
      return await inScope(call.trace(), () => waitAndSend(parts, call, send, watching, record));
    running = record;
  }
  const outcome = await sendTo(parts, running, send, true);
  if (outcome.outcome !== 'refused') return outcome;
  using watching = parts.watch.open(id);
  const record = await parts.registry.getActor(id);
  return await inScope(call.trace(), () => waitAndSend(parts, call, send, watching, record));
}

async function waitAndSend(
  parts: ReachParts,
  call: Call,
  send: Send,
  watching: Watching,
  first: ActorRecord | undefined,
): Promise<ForwardOutcome> {
  const { id, mayWake } = call;
  if (first === undefined) throw notFound(id);
  if (!mayWake) throw new DormouseError('actor-asleep', `${id} is ${first.state}`);
  let record: ActorRecord | undefined = first;
  const { wakeTimeoutMs, maxPendingRequests } = (await parts.templates.of(first)).spec;
  const callSignal = call.waitSignal();
  using budget = wakeBudget(wakeTimeoutMs, callSignal);
  using waker = wakerOf(parts, call);
  const { signal } = budget;
  const hasFailed = watchForFailure(first);
  let isStranger = false;
  for (;;) {
    let isRefused = false;
    budget.hold(record?.state === 'suspending' || record?.state === 'pausing');
    if (!isAsleep(record)) waker.leave();
    if (record?.state === 'running') {
      const outcome = await sendTo(parts, record, send, false);
      if (outcome.outcome !== 'refused') return outcome;
      isRefused = true;
      if (isStranger && outcome.reason === 'unknown-caller') throw notLetIn(id);
      isStranger = outcome.reason === 'unknown-caller';
    } else {
      hasFailed(record);
      if (isAsleep(record)) await waker.wake(record);
    }
    try {
      using _place = parts.pending.enter(id, maxPendingRequests);
      // Whoever was refused is told by the registry itself.
      record = await watching.next(signal, isRefused ? undefined : record);
    } catch (error) {
      if (callSignal.aborted) return abandoned(callSignal.reason);
      if (!signal.aborted) throw error;
      if (waker.refusal !== undefined) throw waker.refusal;
      throw new DormouseError('wake-timeout', `${id} was still ${record?.state ?? 'gone'} after ${wakeTimeoutMs} ms`);
    }
  }
}

/** A process that stops says why; a client that left hears nothing any more. */
function abandoned(reason: unknown): ForwardOutcome {
  if (reason instanceof DormouseError) throw reason;
  return { outcome: 'abandoned' };
}

interface Start {
  readonly start: StartKind;
  readonly phases: Phases;
}

const hotStart: Start = { start: 'hot', phases: {} };

async function sendTo(parts: ReachParts, record: ActorRecord, send: Send, hot: boolean): Promise<ForwardOutcome> {
  const { epoch, node, lastStart } = record;
  const target = node === undefined ? undefined : await parts.nodes.targetOf(node);
  if (epoch === undefined || node === undefined || target === undefined) {
    return { outcome: 'refused', reason: 'unknown-node' };
  }
  const route = { node, epoch, target };
  parts.routes.keep(record.id, route);
  const start = hot ? hotStart : { start: lastStart?.kind ?? 'warm', phases: lastStart?.phases ?? {} };
  return sendAlong(parts, record.id, route, send, start);
}

/** The route outlives an answer, and nothing else: whatever went wrong, the next call looks again. */
async function sendAlong(
  { routes, nodes }: ReachParts,
  id: string,
  route: Route,
  send: Send,
  start: Start,
): Promise<ForwardOutcome> {
  try {
    const outcome = await send({ ...route, ...start });
    if (outcome.outcome === 'answered') routes.confirm(id, route);
    else if (outcome.outcome !== 'abandoned') routes.drop(id, route);
    // Another boot of the worker may have that address by now.
    if (outcome.outcome === 'refused' && outcome.reason === 'unknown-caller') nodes.forget(route.node);
    return outcome;
  } catch (error) {
    routes.drop(id, route);
    if (isNobodyThere(error)) return { outcome: 'refused', reason: 'unknown-node' };
    throw error;
  }
}

/** Only a connection that never came about is sure to have carried nothing. */
function isNobodyThere(error: unknown): boolean {
  if (!(error instanceof DormouseError) || error.code !== 'actor-unreachable') return false;
  const { cause } = error;
  if (!(cause instanceof Error) || !('syscall' in cause) || !('code' in cause)) return false;
  return cause.syscall === 'connect' && cause.code !== 'EAGAIN'; // too many at once on a local socket
}

/**
 * Throws when the actor cannot come up for this call: it is gone, or a wake newer than the call's first look has failed.
 * An error that was there before, or that ended an activation which had been up, is no reason not to wake it.
 */
function watchForFailure(first: ActorRecord): (record: ActorRecord | undefined) => void {
  // A wake under way at the first look is one that this call waits for; otherwise it takes a new epoch.
  const before = { epoch: first.state === 'resuming' ? undefined : first.epoch, errorAt: first.lastError?.at };
  return (record) => {
    if (record === undefined || record.uid !== first.uid || record.state === 'deleting') {
      throw new DormouseError('actor-deleted', `${first.id} is deleted`);
    }
    const { lastError, state, epoch } = record;
    const isNews = lastError !== undefined && lastError.at !== before.errorAt && epoch !== before.epoch;
    if (isNews && (isAsleep(record) || state === 'failed')) throw deserializeError(lastError);
    if (state !== 'failed') return;
    throw new DormouseError(
      'actor-failed',
      `${first.id} could not be resumed: ${lastError?.message ?? record.reason}`,
      {
        details: { lastError },
      },
    );
  };
}

const notLetIn = (id: string): DormouseError =>
  new DormouseError('actor-unreachable', `the node of ${id} does not let this api in: do their clocks agree?`);

const notFound = (id: string): DormouseError => new DormouseError('actor-not-found', `no actor ${id.slice(0, 80)}`);
