/**
 * What a user may ask of an actor's life: resume, suspend, pause, delete. Each answers with an operation. Asking for what holds
 * already, or is under way, is not an error. A transition that must end first is waited for as long as the caller wants,
 * then it is `state-conflict`.
 */
import { decide, isTransitional, type ActorRequest } from '../../shared/actor/lifecycle.ts';
import { DormouseError, serializeError } from '../../shared/errors/dormouse-error.ts';
import { handoverMs, jobLimitsMs } from '../../shared/jobs/contracts.ts';
import type { ActorRecord, Operation } from '../../shared/registry/records.ts';
import { currentScope } from '../../shared/telemetry/trace-scope.ts';
import type { RouteParts } from '../app.ts';
import { followTransition } from './follow-transition.ts';
import { finish, newOperation, sendJob, sendJobOf } from './operations.ts';
import { parkResume } from './park-resume.ts';
import { behindOthers } from './parking.ts';
import { isLive } from './placement.ts';
import { startWake } from './wake.ts';

export interface ActorRequestOptions {
  readonly id: string;
  /** Ends when the caller will not wait for another transition any longer. */
  readonly patience: AbortSignal;
}

/** Does the accepted request; undefined when the actor moved meanwhile. */
type Accept = (record: ActorRecord) => Promise<Operation | undefined>;

export const resumeActor = (
  parts: RouteParts,
  options: ActorRequestOptions,
  node: string | undefined,
): Promise<Operation> => {
  const traceparent = currentScope()?.traceparent; // a parked resume is tried again from elsewhere
  return ask(parts, options, 'resume', async (record) => {
    const start = async (current: ActorRecord, asOf?: number): Promise<Operation | undefined> => {
      const template = await parts.templates.of(current);
      const result = await startWake(parts, {
        record: current,
        template,
        node,
        reason: 'a user asked for it',
        traceparent,
        asOf,
      });
      return result.outcome === 'claimed' ? result.operation : undefined;
    };
    // Whoever names a node wants to know about that one, now.
    return node === undefined ? startOrPark(parts, record, start) : start(record);
  });
};

/** For want of room the operation waits, behind the calls that wait already. */
async function startOrPark(
  parts: RouteParts,
  record: ActorRecord,
  start: (record: ActorRecord, asOf?: number) => Promise<Operation | undefined>,
): Promise<Operation | undefined> {
  const park = async (refusal: DormouseError): Promise<Operation> => {
    const { wakeTimeoutMs } = (await parts.templates.of(record)).spec;
    const attempt = async (asOf: number): Promise<void> => {
      const now = await parts.registry.getActor(record.id);
      if (now !== undefined && decide(now.state, 'resume').kind === 'accept') await start(now, asOf);
    };
    return parkResume(parts, { record, limitMs: wakeTimeoutMs, refusal, attempt });
  };
  if (parts.parking.isBusy) return park(behindOthers());
  try {
    return await start(record);
  } catch (error) {
    if (!(error instanceof DormouseError) || error.code !== 'no-capacity') throw error;
    return park(error);
  }
}

export const suspendActor = (parts: RouteParts, options: ActorRequestOptions): Promise<Operation> =>
  ask(parts, options, 'suspend', (record) => beginSleep(parts, record, 'suspend'));

export const pauseActor = (parts: RouteParts, options: ActorRequestOptions): Promise<Operation> =>
  ask(parts, options, 'pause', (record) => beginSleep(parts, record, 'pause'));

export const deleteActor = (parts: RouteParts, options: ActorRequestOptions): Promise<Operation> =>
  ask(parts, options, 'delete', (record) => beginDelete(parts, record));

async function ask(
  parts: RouteParts,
  { id, patience }: ActorRequestOptions,
  request: ActorRequest,
  accept: Accept,
): Promise<Operation> {
  using watching = parts.watch.open(id);
  let record = await parts.registry.getActor(id);
  for (;;) {
    if (record === undefined) throw new DormouseError('actor-not-found', `no actor ${id}`);
    const decision = decide(record.state, request);
    if (decision.kind === 'refuse') throw new DormouseError('state-conflict', `${id}: ${decision.reason}`);
    if (decision.kind === 'already') return await alreadySo(parts, record, request);
    const operation = decision.kind === 'accept' ? await accept(record) : undefined;
    if (operation !== undefined) return operation;
    if (decision.kind === 'accept') {
      record = await parts.registry.getActor(id); // it moved under our hands: decide again
      continue;
    }
    const { state } = record;
    record = await watching.next(patience).catch((cause: unknown) => {
      if (!patience.aborted) throw cause;
      throw new DormouseError('state-conflict', `${id} is ${state}; that must end first`, { retryAfterMs: 1000 });
    });
  }
}

async function alreadySo(parts: RouteParts, record: ActorRecord, request: ActorRequest): Promise<Operation> {
  if (isTransitional(record.state)) return followTransition(parts, record, request);
  return finish(parts, newOperation(request, record.id, record.node));
}

/** By the node that holds the actor: a suspend of a paused one ships what that node kept. */
async function beginSleep(
  parts: RouteParts,
  record: ActorRecord,
  kind: 'suspend' | 'pause',
): Promise<Operation | undefined> {
  const { id, epoch, node } = record;
  const from = record.state === 'paused' ? 'paused' : 'running';
  const to = kind === 'suspend' ? 'suspending' : 'pausing';
  if (epoch === undefined || node === undefined) throw new DormouseError('internal', `${id} runs, but nowhere`);
  const move = { id, epoch } as const;
  const deadlineMs = jobLimitsMs[kind] + handoverMs;
  const reason = 'a user asked for it';
  const operation = newOperation(kind, id, node);
  const moved = await parts.registry.transition({ ...move, from: [from], to, deadlineMs, reason, operation });
  if (moved.outcome !== 'moved') return undefined;
  try {
    await sendJobOf<'suspend' | 'pause'>(parts, operation, node, { actorId: id, epoch });
    return operation;
  } catch (error) {
    // The node knows nothing of it, so all is as before. A job that arrives after all finds the state changed.
    const update = { lastError: serializeError(error) };
    await parts.registry.transition({ ...move, from: [to], to: from, reason: `no ${kind}`, update });
    throw error;
  }
}

async function beginDelete(parts: RouteParts, record: ActorRecord): Promise<Operation | undefined> {
  const { id, state, epoch } = record;
  const moved = await parts.registry.transition({
    id,
    from: [state],
    to: 'deleting',
    ...(epoch !== undefined && { epoch }),
    deadlineMs: jobLimitsMs.delete + handoverMs,
    reason: 'a user asked for it',
  });
  if (moved.outcome !== 'moved') return undefined;
  try {
    return await sendDelete(parts, record);
  } catch (error) {
    // It is `deleting`, and will be deleted: the reaper sends the job again when the deadline has passed.
    parts.log.warn({ err: error, actorId: id }, 'delete job not sent');
    return followTransition(parts, { ...record, state: 'deleting' }, 'delete');
  }
}

/** To the node that holds the actor, or to any live one: whoever gets it removes the objects. */
export async function sendDelete(
  parts: Pick<RouteParts, 'registry' | 'jobs'>,
  { id, node }: ActorRecord,
): Promise<Operation> {
  const live = (await parts.registry.listNodes()).filter(isLive);
  const chosen = live.find((candidate) => candidate.id === node) ?? live[0];
  if (chosen === undefined) throw new DormouseError('no-capacity', 'no node lives that could remove the objects');
  return sendJob(parts, { kind: 'delete', target: id, node: chosen.id, subject: { actorId: id } });
}
