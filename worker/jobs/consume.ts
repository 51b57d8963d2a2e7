/**
 * Takes jobs off the node's queue. A job's own deadline ends before the registry's, so this worker has given up before
 * anyone takes over. If this worker dies, the lease of its node or the actor's deadline leads the actor out, not a second
 * delivery; one that comes all the same does nothing (job-in-hand.ts).
 */
import { serializeError } from '../../shared/errors/dormouse-error.ts';
import { handoverMs, jobLimitsMs, type Job } from '../../shared/jobs/contracts.ts';
import type { Operation } from '../../shared/registry/records.ts';
import type { Tracing } from '../../shared/telemetry/tracing.ts';
import type { NodeContext } from '../node-context.ts';
import { deleteActor } from './delete-actor.ts';
import { doneWith, type Finished } from './finished.ts';
import { startHands } from './hands.ts';
import { createJobsInHand, type JobsInHand } from './job-in-hand.ts';
import { pauseActor } from './pause-actor.ts';
import { prepareTemplate } from './prepare-template.ts';
import { lookRegularly } from './look-regularly.ts';
import { redoInterrupted } from './redo-interrupted.ts';
import { resumeActor } from './resume-actor.ts';
import { suspendActor } from './suspend-actor.ts';
import { traceJob } from './trace-job.ts';

export interface JobConsumer extends AsyncDisposable {
  /** Takes no more jobs and waits for those under way. */
  stop(): Promise<void>;
}

/** Lifecycle jobs mostly wait (for a VM, for a store), so `concurrency` may be more than there are cores. */
export function consumeJobs(
  context: NodeContext,
  redisUrl: string,
  concurrency: number,
  tracing: Tracing,
): JobConsumer {
  const { nodeId, sender, log } = context;
  const inHand = createJobsInHand();
  const perform = (job: Job): Promise<void> => traceJob(context, tracing, job, () => performJob(context, inHand, job));
  const reconciling = lookRegularly(context, inHand);
  redoInterrupted(context, inHand, perform).catch((error: unknown) =>
    log.warn({ err: error }, 'the jobs of an earlier worker were not looked at'),
  );
  const hands = startHands({ nodeId, redisUrl, hands: concurrency, sender, log, perform });
  return {
    stop: () => hands.stop(),
    async [Symbol.asyncDispose]() {
      reconciling[Symbol.dispose]();
      await hands[Symbol.asyncDispose]();
    },
  };
}

/** Does the job and keeps its operation up to date; nothing when it is in hand, or its operation is over. */
export async function performJob(context: NodeContext, inHand: JobsInHand, job: Job): Promise<void> {
  const { kind, operationId, requestedAt, deadlineAt } = job;
  using taken = inHand.take(job);
  if (taken === undefined) {
    context.log.warn({ job: kind, operationId }, 'a job that is in hand was delivered again');
    return;
  }
  const operation: Operation = {
    id: operationId,
    kind,
    target: job.kind === 'prepare-template' ? job.template : job.actorId,
    state: 'running',
    createdAt: requestedAt,
    deadlineAt: new Date(Date.parse(deadlineAt) + handoverMs).toISOString(),
    node: context.nodeId,
  };
  const work = await begin(context, job, operation);
  if (work === undefined) {
    context.log.warn({ job: kind, operationId }, 'a job whose operation is over was delivered');
    return;
  }
  let finished: Finished;
  try {
    finished = await work(AbortSignal.timeout(jobLimitsMs[kind]));
  } catch (cause) {
    await context.registry.putOperation({
      ...operation,
      state: 'failed',
      error: serializeError(cause),
      finishedAt: new Date().toISOString(),
    });
    throw cause;
  }
  const { phases, isTold, ending } = finished;
  try {
    if (isTold !== true) await context.registry.putOperation(doneWith(operation, phases));
  } finally {
    await ending;
  }
}

type Work = (signal: AbortSignal) => Promise<Finished>;

/** Says in the registry that the job is begun. Undefined when its operation is over. */
async function begin(context: NodeContext, job: Job, operation: Operation): Promise<Work | undefined> {
  const { registry } = context;
  switch (job.kind) {
    case 'resume': {
      const begun = await registry.beginJob(operation, job.actorId, job.epoch);
      return begun && ((signal) => resumeActor(context, job, { ...begun, operation }, signal));
    }
    case 'suspend': {
      const begun = await registry.beginJob(operation, job.actorId, job.epoch);
      return begun && ((signal) => suspendActor(context, job, { ...begun, operation }, signal));
    }
    case 'pause': {
      const begun = await registry.beginJob(operation, job.actorId, job.epoch);
      return begun && ((signal) => pauseActor(context, job, { ...begun, operation }, signal));
    }
    case 'delete':
      if (!(await registry.putOperation(operation))) return undefined;
      return async (signal) => ({ phases: await deleteActor(context, job, signal) });
    case 'prepare-template':
      if (!(await registry.putOperation(operation))) return undefined;
      return async (signal) => ({ phases: await prepareTemplate(context, job, signal) });
  }
}
