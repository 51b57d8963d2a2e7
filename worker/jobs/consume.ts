/**
 * Takes jobs off the node's queue. A job's own deadline ends before the registry's, so this worker has given up before
 * anyone takes over. A job is never run twice by the queue: if this worker dies, the actor's deadline in the registry
 * leads it out, not a second delivery.
 */
import { Worker, type Job as QueuedJob } from 'bullmq';
import { serializeError } from '../../shared/errors/dormouse-error.ts';
import { jobLimitsMs, jobSchema, queueName, queuePrefix, type Job } from '../../shared/jobs/contracts.ts';
import { connectBlocking } from '../../shared/registry/redis/connection.ts';
import type { Operation, Phases } from '../../shared/registry/records.ts';
import type { NodeContext } from '../node-context.ts';
import { deleteActor } from './delete-actor.ts';
import { prepareTemplate } from './prepare-template.ts';
import { resumeActor } from './resume-actor.ts';
import { suspendActor } from './suspend-actor.ts';

/** Lifecycle jobs mostly wait (for a VM, for a store), so more run at once than there are cores. */
const concurrency = 8;

export interface JobConsumer extends AsyncDisposable {
  /** Takes no more jobs and waits for those under way. */
  stop(): Promise<void>;
}

export function consumeJobs(context: NodeContext, redisUrl: string): JobConsumer {
  const connection = connectBlocking(redisUrl, context.log);
  const worker = new Worker(queueName(context.nodeId), (queued: QueuedJob) => receive(context, queued), {
    connection,
    prefix: queuePrefix,
    concurrency,
    maxStalledCount: 0,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  });
  worker.on('error', (error) => context.log.warn({ err: error.message }, 'job queue failed'));
  worker.on('failed', (queued, error) =>
    context.log.info({ job: queued?.name, operationId: queued?.id, err: error.message }, 'job failed'),
  );
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= worker.close());
  return {
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      connection.disconnect();
    },
  };
}

async function receive(context: NodeContext, queued: QueuedJob): Promise<void> {
  const job = jobSchema.parse(queued.data);
  const { kind, operationId, requestedAt } = job;
  const operation: Operation = {
    id: operationId,
    kind,
    target: job.kind === 'prepare-template' ? job.template : job.actorId,
    state: 'running',
    createdAt: requestedAt,
    node: context.nodeId,
  };
  await context.registry.putOperation(operation);
  try {
    const phases = await run(context, job, AbortSignal.timeout(jobLimitsMs[kind]));
    await context.registry.putOperation({ ...operation, state: 'done', phases, finishedAt: new Date().toISOString() });
  } catch (cause) {
    await context.registry.putOperation({
      ...operation,
      state: 'failed',
      error: serializeError(cause),
      finishedAt: new Date().toISOString(),
    });
    throw cause;
  }
}

function run(context: NodeContext, job: Job, signal: AbortSignal): Promise<Phases> {
  switch (job.kind) {
    case 'resume':
      return resumeActor(context, job, signal);
    case 'suspend':
      return suspendActor(context, job, signal);
    case 'delete':
      return deleteActor(context, job, signal);
    case 'prepare-template':
      return prepareTemplate(context, job, signal);
  }
}
