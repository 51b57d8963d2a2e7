/**
 * What takes jobs off a node's queue: so many hands that take whatever is next, and a spare one for lone wakes
 * (spare-hand.ts). A job is never given out again: whoever leads its actor out when this worker dies, it is not the queue.
 */
import { randomUUID } from 'node:crypto';
import { Worker, type Job as QueuedJob } from 'bullmq';
import { jobLimitsMs, jobSchema, queueName, queuePrefix, type Job } from '../../shared/jobs/contracts.ts';
import type { JobSender } from '../../shared/jobs/queues.ts';
import { connectBlocking } from '../../shared/registry/redis/connection.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';
import { createSpareHand } from './spare-hand.ts';

export interface HandsOptions {
  readonly nodeId: string;
  readonly redisUrl: string;
  /** Jobs at once. */
  readonly hands: number;
  readonly sender: Pick<JobSender, 'next'>;
  readonly log: Logger;
  readonly perform: (job: Job) => Promise<void>;
}

export interface Hands extends AsyncDisposable {
  /** Takes no more jobs and waits for those under way. */
  stop(): Promise<void>;
}

export function startHands({ nodeId, redisUrl, hands, sender, log, perform }: HandsOptions): Hands {
  const connection = connectBlocking(redisUrl, log);
  const spare = createSpareHand({
    hands,
    head: () => sender.next(nodeId),
    takeNext: () => takeNext(),
    onError: (error) => log.warn({ err: error }, 'the spare hand took no job'),
  });
  const work = async ({ data }: QueuedJob): Promise<void> => {
    const job = jobSchema.parse(data);
    await spare.during(job, () => perform(job));
  };
  const worker = new Worker(queueName(nodeId), work, {
    connection,
    prefix: queuePrefix(nodeId),
    concurrency: hands,
    maxStalledCount: 0,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  });
  const tellFailed = (queued: QueuedJob | undefined, error: Error): void =>
    log.info({ job: queued?.name, operationId: queued?.id, err: error.message }, 'job failed');
  worker.on('error', (error) => log.warn({ err: error.message }, 'job queue failed'));
  worker.on('failed', tellFailed);

  async function takeNext(): Promise<void> {
    const token = randomUUID();
    const job = (await worker.getNextJob(token, { block: false })) as QueuedJob | undefined;
    if (job === undefined) return;
    // Nobody renews the lock of a job that was taken by hand. Without it the queue forgets the job early, and it is done all
    // the same.
    const lockMs = Math.max(...Object.values(jobLimitsMs));
    void job
      .extendLock(token, lockMs)
      .catch((error: unknown) => log.warn({ err: error }, 'a job lock was not extended'));
    try {
      await work(job);
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      tellFailed(job, error);
      await job.moveToFailed(error, token, false);
      return;
    }
    await job.moveToCompleted(undefined, token, false);
  }

  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopping ??= (async () => {
      const spareIsDone = spare[Symbol.asyncDispose]();
      await worker.pause(true);
      await spareIsDone; // its job is told over the worker's connection
      await worker.close();
    })());
  return {
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      connection.disconnect();
    },
  };
}
