/**
 * Transitions that this node is to carry out and that no job of it is about: whoever began one (an api that claimed an
 * actor, a worker that found it idle) ended, or failed, before the job was sent. Seen in two looks, the node does it:
 *
 *   `resuming` here                                ─► the job again
 *   `suspending`, `pausing`, and it is held here   ─► the job again
 *   `suspending`, `pausing`, and it is not         ─► falls back to its last generation: only the deadline is left of it
 *
 * A job that waits in the queue meanwhile is sent a second time, which does no harm (job-in-hand.ts): a wake is even the
 * same job, by its id, and the operation that a caller waits for ends with it.
 */
import { handoverMs, jobLimitsMs, jobSchema, type Job } from '../../shared/jobs/contracts.ts';
import { operationIdOf } from '../../shared/jobs/operation-id.ts';
import type { ActorRecord } from '../../shared/registry/records.ts';
import type { NodeContext } from '../node-context.ts';
import type { JobsInHand } from './job-in-hand.ts';
import { isHeld, letFallBack } from './reconcile.ts';

const kinds = { resuming: 'resume', suspending: 'suspend', pausing: 'pause' } as const;
type Awaited = ActorRecord & { readonly state: keyof typeof kinds; readonly epoch: string };

/** `seen` is what this function left there in the last round. */
export async function takeUp(context: NodeContext, jobs: JobsInHand, seen: Set<string>): Promise<void> {
  const before = new Set(seen);
  seen.clear();
  for (const { id, state } of await context.registry.looksOnNode(context.nodeId)) {
    if (!Object.hasOwn(kinds, state)) continue;
    const record = await context.registry.getActor(id);
    if (jobs.has(id) || !isAwaited(record) || record.node !== context.nodeId) continue;
    const look = [id, record.epoch, record.state, record.since].join(' ');
    seen.add(look);
    if (before.has(look)) await carryOut(context, record);
  }
}

const isAwaited = (record: ActorRecord | undefined): record is Awaited =>
  record?.epoch !== undefined && Object.hasOwn(kinds, record.state);

async function carryOut(context: NodeContext, record: Awaited): Promise<void> {
  const { id, epoch, state } = record;
  if (state !== 'resuming' && !isHeld(context, id)) {
    // A job may have begun and ended while the record was read; then it is not the same any more.
    const again = await context.registry.getActor(id);
    if (again?.state === state && again.epoch === epoch) await letFallBack(context, again);
    return;
  }
  const job = await jobFor(context, record);
  context.log.warn({ actorId: id, epoch, state, operationId: job.operationId }, 'a job that nobody sent is taken up');
  await context.sender.send(context.nodeId, job);
}

async function jobFor({ registry }: NodeContext, record: Awaited): Promise<Job> {
  const { id, epoch, state, deadlineAt } = record;
  const kind = kinds[state];
  const now = Date.now();
  const until = deadlineAt === undefined ? now + jobLimitsMs[kind] : Date.parse(deadlineAt) - handoverMs;
  return jobSchema.parse({
    ...{ kind, actorId: id, epoch },
    operationId: await operationFor(registry, kind, record),
    requestedAt: new Date(now).toISOString(),
    deadlineAt: new Date(until).toISOString(),
  });
}

/** That of the wake itself, unless it is over: one that its api could not send has failed, and nothing is done for it. */
async function operationFor(
  registry: NodeContext['registry'],
  kind: Job['kind'],
  { id, epoch, since, wakeOperation }: Awaited,
): Promise<string> {
  const another = operationIdOf('take up', kind, id, epoch, since);
  if (kind !== 'resume' || wakeOperation === undefined) return another;
  const operation = await registry.getOperation(wakeOperation);
  return operation?.state === 'failed' || operation?.state === 'done' ? another : wakeOperation;
}
