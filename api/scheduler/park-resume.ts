/**
 * A resume that a user asked for, without room for it: it waits in the same queue as calls do, as an operation, for as long
 * as a call of its template would (`wakeTimeoutMs`).
 *
 *   no room (or others wait for some already) ─► parked ─► claimed: the operation ends with the transition
 *                                                      ─► the time is over: it has failed with `no-capacity`
 *
 * Should this process end meanwhile, the reaper ends the operation at its deadline; the actor just stays asleep.
 */
import type { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { handoverMs, jobLimitsMs } from '../../shared/jobs/contracts.ts';
import type { ActorRecord, Operation } from '../../shared/registry/records.ts';
import type { RouteParts } from '../app.ts';
import { endWith, watchToTheEnd } from './follow-transition.ts';
import { finish, newOperation } from './operations.ts';
import type { Attempt, Place } from './parking.ts';

export interface ParkedResume {
  readonly record: ActorRecord;
  readonly limitMs: number;
  readonly refusal: DormouseError;
  /** Throws `no-capacity` for want of room. */
  readonly attempt: Attempt;
}

/** Throws `too-many-parked` when there is no place. */
export async function parkResume(parts: RouteParts, resume: ParkedResume): Promise<Operation> {
  const { record, refusal, attempt, limitMs } = resume;
  const place = parts.parking.enter(record, refusal, attempt);
  const deadlineAt = new Date(Date.now() + limitMs + jobLimitsMs.resume + handoverMs).toISOString();
  const operation: Operation = { ...newOperation('resume', record.id), deadlineAt };
  try {
    await parts.registry.putOperation(operation);
  } catch (error) {
    place[Symbol.dispose]();
    throw error;
  }
  waitForRoom(parts, resume, operation, place).catch((error: unknown) =>
    parts.log.warn({ err: error, operationId: operation.id }, 'operation not followed to its end'),
  );
  return operation;
}

async function waitForRoom(
  parts: RouteParts,
  { record, limitMs }: ParkedResume,
  operation: Operation,
  waiting: Place,
): Promise<void> {
  using place = waiting;
  const patience = AbortSignal.any([AbortSignal.timeout(limitMs), parts.stopping]);
  using watching = parts.watch.open(record.id);
  let now: ActorRecord | undefined = record;
  while (place.isWaiting && now !== undefined && !patience.aborted) {
    now = await watching.next(patience).catch((cause: unknown) => {
      if (!patience.aborted) throw cause;
      return now;
    });
  }
  if (place.failure !== undefined) await finish(parts, operation, place.failure);
  else if (place.isWaiting) await finish(parts, operation, place.refusal);
  else await followWake(parts, operation, record);
}

async function followWake(parts: RouteParts, operation: Operation, { id, uid }: ActorRecord): Promise<void> {
  const found = await parts.registry.getActor(id);
  const record = found?.uid === uid ? found : undefined;
  if (record?.state === 'resuming') await watchToTheEnd(parts, record, operation, 'resume');
  else await endWith(parts, operation, 'resume', record);
}
