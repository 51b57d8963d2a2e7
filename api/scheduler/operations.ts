/** Operations: made before their job is sent, so that a caller can always ask what became of it. */
import { randomUUID } from 'node:crypto';
import { deserializeError, serializeError } from '../../shared/errors/dormouse-error.ts';
import { handoverMs, operationLimitMs, type Job, type JobKind } from '../../shared/jobs/contracts.ts';
import type { Lane } from '../../shared/jobs/node-line.ts';
import type { Operation } from '../../shared/registry/records.ts';
import { currentScope } from '../../shared/telemetry/trace-scope.ts';
import type { ApiParts } from '../parts.ts';

type Subject<Kind extends JobKind> = Omit<
  Extract<Job, { kind: Kind }>,
  'operationId' | 'deadlineAt' | 'requestedAt' | 'kind'
>;

export interface NewJob<Kind extends JobKind> {
  readonly kind: Kind;
  readonly target: string;
  readonly node: string;
  readonly subject: Subject<Kind>;
}

/** Puts the operation and sends its job. When that fails the operation says so and the error is thrown. */
export async function sendJob<Kind extends JobKind>(
  parts: Pick<ApiParts, 'registry' | 'jobs'>,
  { kind, target, node, subject }: NewJob<Kind>,
): Promise<Operation> {
  const operation = newOperation(kind, target, node);
  await parts.registry.putOperation(operation);
  await sendJobOf(parts, operation, node, subject);
  return operation;
}

/** For an operation that stands in the registry already. */
export async function sendJobOf<Kind extends JobKind>(
  parts: Pick<ApiParts, 'registry' | 'jobs'>,
  operation: Operation,
  node: string,
  subject: Subject<Kind>,
  lane?: Lane,
): Promise<void> {
  const traceparent = currentScope()?.traceparent;
  try {
    const trace = traceparent !== undefined && { traceparent };
    await parts.jobs.send(node, jobOf(operation, { ...trace, ...subject }), lane);
  } catch (error) {
    await finish(parts, operation, error).catch(() => undefined); // the first failure is the one to tell
    throw error;
  }
}

/** The job of an operation, with all of its kind's time from now on. It is checked when it is sent. */
export function jobOf({ id, kind }: Operation, subject: object): Job {
  const now = Date.now();
  const common = {
    operationId: id,
    requestedAt: new Date(now).toISOString(),
    deadlineAt: new Date(now + operationLimitMs(kind)).toISOString(),
  };
  return { ...subject, kind, ...common } as Job;
}

export const newOperation = (kind: Operation['kind'], target: string, node?: string): Operation => ({
  id: randomUUID(),
  kind,
  target,
  state: 'queued',
  createdAt: new Date().toISOString(),
  deadlineAt: new Date(Date.now() + operationLimitMs(kind) + handoverMs).toISOString(),
  ...(node !== undefined && { node }),
});

/** Ends an operation that no job will end: with an error, or done. */
export async function finish(
  { registry }: Pick<ApiParts, 'registry'>,
  operation: Operation,
  error?: unknown,
): Promise<Operation> {
  const finished: Operation = {
    ...operation,
    state: error === undefined ? 'done' : 'failed',
    finishedAt: new Date().toISOString(),
    ...(error !== undefined && { error: serializeError(error) }),
  };
  await registry.putOperation(finished);
  return finished;
}

export const isOver = (operation: Operation): boolean => operation.state === 'done' || operation.state === 'failed';

/** Throws what a failed operation failed with. */
export function requireDone(operation: Operation): void {
  if (operation.state === 'failed' && operation.error !== undefined) throw deserializeError(operation.error);
}
