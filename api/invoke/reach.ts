/**
 * Gets one call to its actor, whatever state the actor is in.
 *
 *   running ─► send ─► answered
 *      ▲         │ refused (the activation is over or about to be): look again
 *      │         ▼
 *   changed ◄─ wait ◄─ suspended: wake it (one caller of all wins the claim), and wait like the others
 *
 * A call to a running actor costs one read of the registry. One that waits holds one of the actor's places, gives up at
 * the template's wake limit (`wake-timeout`), and is told the reason when the wake it waits for fails. Failures also:
 * `actor-not-found`, `actor-deleted`, `actor-failed`, `actor-asleep`, `too-many-pending`, `no-capacity`.
 */
import { actorIdSchema } from '../../shared/actor/names.ts';
import { deserializeError, DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ForwardOutcome, ForwardTarget } from '../../shared/http/forward.ts';
import type { ActorRecord, Phases, StartKind } from '../../shared/registry/records.ts';
import type { ApiParts } from '../parts.ts';
import type { ActorWatch } from '../scheduler/actor-watch.ts';
import type { TemplateCache } from '../scheduler/template-cache.ts';
import { startWake } from '../scheduler/wake.ts';
import type { NodeDirectory } from './node-directory.ts';
import type { PendingRequests } from './pending.ts';

export interface ReachParts extends ApiParts {
  readonly watch: ActorWatch;
  readonly templates: TemplateCache;
  readonly nodes: NodeDirectory;
  readonly pending: PendingRequests;
}

export interface Call {
  readonly id: string;
  readonly mayWake: boolean;
  /** Ends when the client leaves, or this process stops. */
  readonly signal: AbortSignal;
  readonly traceparent: string | undefined;
}

/** A running activation to send the call to. */
export interface Activation {
  readonly epoch: string;
  readonly target: ForwardTarget;
  readonly start: StartKind;
  readonly phases: Phases;
}

export type Send = (activation: Activation) => Promise<ForwardOutcome>;

export async function reach(parts: ReachParts, call: Call, send: Send): Promise<ForwardOutcome> {
  const { id, mayWake } = call;
  if (!actorIdSchema.safeParse(id).success) throw notFound(id);
  const record = await parts.registry.getActor(id);
  if (record?.state === 'running') {
    const outcome = await sendTo(parts, record, send, true);
    if (outcome.outcome !== 'refused') return outcome;
  }
  if (record !== undefined && !mayWake) throw new DormouseError('actor-asleep', `${id} is ${record.state}`);
  return waitAndSend(parts, call, send);
}

async function waitAndSend(parts: ReachParts, call: Call, send: Send): Promise<ForwardOutcome> {
  const { id } = call;
  using watching = parts.watch.open(id);
  let record = await parts.registry.getActor(id);
  if (record === undefined) throw notFound(id);
  const { wakeTimeoutMs, maxPendingRequests } = (await parts.templates.of(record)).spec;
  const signal = AbortSignal.any([call.signal, AbortSignal.timeout(wakeTimeoutMs)]);
  const hasFailed = watchForFailure(record);
  for (;;) {
    if (record?.state === 'running') {
      const outcome = await sendTo(parts, record, send, false);
      if (outcome.outcome !== 'refused') return outcome;
    } else {
      hasFailed(record);
      if (record?.state === 'suspended') await wake(parts, call, record);
    }
    try {
      using _place = parts.pending.enter(id, maxPendingRequests);
      record = await watching.next(signal);
    } catch (error) {
      if (call.signal.aborted) return abandoned(call.signal.reason);
      if (!signal.aborted) throw error;
      throw new DormouseError('wake-timeout', `${id} was still ${record?.state ?? 'gone'} after ${wakeTimeoutMs} ms`);
    }
  }
}

/** A process that stops says why; a client that left hears nothing any more. */
function abandoned(reason: unknown): ForwardOutcome {
  if (reason instanceof DormouseError) throw reason;
  return { outcome: 'abandoned' };
}

async function sendTo(parts: ReachParts, record: ActorRecord, send: Send, hot: boolean): Promise<ForwardOutcome> {
  const { epoch, node, lastStart } = record;
  const target = node === undefined ? undefined : await parts.nodes.targetOf(node);
  if (epoch === undefined || target === undefined) return { outcome: 'refused', reason: 'unknown-node' };
  const start = hot ? 'hot' : (lastStart?.kind ?? 'warm');
  return send({ epoch, target, start, phases: hot ? {} : (lastStart?.phases ?? {}) });
}

async function wake(parts: ReachParts, call: Call, record: ActorRecord): Promise<void> {
  const { traceparent } = call;
  const template = await parts.templates.of(record);
  const result = await startWake(parts, { record, template, reason: 'a call', traceparent });
  if (result.outcome === 'claimed') parts.log.debug({ actorId: record.id, epoch: result.epoch }, 'waking an actor');
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
    if (isNews && (state === 'suspended' || state === 'failed')) throw deserializeError(lastError);
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

const notFound = (id: string): DormouseError => new DormouseError('actor-not-found', `no actor ${id.slice(0, 80)}`);
