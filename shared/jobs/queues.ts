/** The sending side of the node queues: one BullMQ queue per node, opened on first use. */
import { Queue } from 'bullmq';
import { connectRedis, translated } from '../registry/redis/connection.ts';
import type { Logger } from '../telemetry/logger.ts';
import { jobSchema, queueName, queuePrefix, type Job } from './contracts.ts';
import { createNodeLine, type Lane, type NodeLine } from './node-line.ts';

interface NodeQueue {
  readonly queue: Queue;
  readonly line: NodeLine;
}

export interface JobSender extends AsyncDisposable {
  /**
   * Puts a job on a node's queue; the operation's id is the job's id, so sending it again changes nothing. Wakes of a `lane`
   * and what puts actors to sleep come in the order of the node's line (node-line.ts); everything else comes before these.
   */
  send(nodeId: string, job: Job, lane?: Lane): Promise<void>;
  /** Jobs of a node that it has not begun. */
  waiting(nodeId: string): Promise<number>;
  /** The job that a node begins next. */
  next(nodeId: string): Promise<Job | undefined>;
  /** Takes back a job that its node has not begun; one it has begun stays. */
  withdraw(nodeId: string, operationId: string): Promise<void>;
}

export function openJobSender(redisUrl: string, log: Logger): JobSender {
  const connection = connectRedis(redisUrl, log);
  const queues = new Map<string, NodeQueue>();
  const open = (nodeId: string): NodeQueue => {
    const queue = new Queue(queueName(nodeId), { connection, prefix: queuePrefix(nodeId) });
    queue.on('error', (error) => log.warn({ err: error.message, nodeId }, 'queue failed'));
    const lowestWaiting = async (): Promise<number> => {
      const [first] = await queue.getPrioritized(0, 0);
      return first?.priority ?? 0;
    };
    return { queue, line: createNodeLine(lowestWaiting) };
  };
  const queueOf = (nodeId: string): NodeQueue => {
    const opened = queues.get(nodeId) ?? open(nodeId);
    queues.set(nodeId, opened);
    return opened;
  };
  return {
    async send(nodeId, job, lane) {
      const payload = jobSchema.parse(
        job.kind === 'resume' && lane !== undefined ? { ...job, template: lane.template } : job,
      );
      const { queue, line } = queueOf(nodeId);
      await translated(
        queue.add(payload.kind, payload, {
          jobId: payload.operationId,
          attempts: 1,
          removeOnComplete: true,
          removeOnFail: true,
          ...priorityIn(line, payload, lane),
        }),
      );
    },
    waiting: (nodeId) => translated(queueOf(nodeId).queue.getJobCountByTypes('waiting', 'prioritized')),
    async next(nodeId) {
      const heads = await translated(queueOf(nodeId).queue.getJobs(['waiting', 'prioritized'], 0, 0, true));
      // One without a priority comes before all that have one. One that was begun between two looks has no data left.
      const head = heads.find(({ priority }) => priority === 0) ?? heads[0];
      return jobSchema.safeParse(head?.data).data;
    },
    async withdraw(nodeId, operationId) {
      await translated(queueOf(nodeId).queue.remove(operationId));
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled([...queues.values()].map(({ queue }) => queue.close()));
      connection.disconnect();
    },
  };
}

/** BullMQ takes jobs without one first, then the lowest. */
function priorityIn(line: NodeLine, { kind }: Job, lane: Lane | undefined): { readonly priority?: number } {
  if (kind === 'suspend' || kind === 'pause') return { priority: line.suspend() };
  return lane === undefined ? {} : { priority: line.wake(lane) };
}
