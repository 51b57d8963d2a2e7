/**
 * An operation for a transition that somebody else has begun (an idle suspend, the wake of another caller): this process
 * watches the actor and ends the operation with it. Should this process die, the reaper ends the operation at its deadline;
 * the actor itself does not depend on it.
 */
import type { ActorRequest, ActorState } from '../../shared/actor/lifecycle.ts';
import { deserializeError, DormouseError } from '../../shared/errors/dormouse-error.ts';
import { handoverMs, jobLimitsMs } from '../../shared/jobs/contracts.ts';
import type { ActorRecord, Operation } from '../../shared/registry/records.ts';
import type { RouteParts } from '../app.ts';
import { finish, newOperation } from './operations.ts';

const goals: Readonly<Record<ActorRequest, ActorState | 'gone'>> = {
  resume: 'running',
  suspend: 'suspended',
  pause: 'paused',
  delete: 'gone',
};

type FollowParts = Pick<RouteParts, 'registry' | 'watch' | 'log'>;

export async function followTransition(
  parts: FollowParts,
  record: ActorRecord,
  request: ActorRequest,
): Promise<Operation> {
  const operation: Operation = { ...newOperation(request, record.id, record.node), state: 'running' };
  await parts.registry.putOperation(operation);
  watchToTheEnd(parts, record, operation, request).catch((error: unknown) =>
    parts.log.warn({ err: error, operationId: operation.id }, 'operation not followed to its end'),
  );
  return operation;
}

export async function watchToTheEnd(
  parts: FollowParts,
  before: ActorRecord,
  operation: Operation,
  request: ActorRequest,
): Promise<void> {
  const limitMs = jobLimitsMs[request] + handoverMs;
  const signal = AbortSignal.timeout(limitMs);
  using watching = parts.watch.open(before.id);
  let record = await parts.registry.getActor(before.id);
  while (record?.uid === before.uid && record.state === before.state && record.epoch === before.epoch) {
    record = await watching.next(signal);
  }
  await endWith(parts, operation, request, record?.uid === before.uid ? record : undefined);
}

/** The operation is over: done if the actor is where it was to come, and failed with what it says otherwise. */
export async function endWith(
  parts: FollowParts,
  operation: Operation,
  request: ActorRequest,
  record: ActorRecord | undefined,
): Promise<void> {
  const goal = goals[request];
  const state = record?.state ?? 'gone';
  await finish(parts, operation, state === goal ? undefined : failureOf(record, goal, state));
}

const failureOf = (record: ActorRecord | undefined, goal: string, state: string): DormouseError =>
  record?.lastError === undefined
    ? new DormouseError('state-conflict', `the actor became ${state} instead of ${goal}`)
    : deserializeError(record.lastError);
