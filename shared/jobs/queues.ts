/** The sending side of the node queues: one BullMQ queue per node, opened on first use. */
import { Queue } from 'bullmq';
import { connectRedis, translated } from '../registry/redis/connection.ts';
import type { Logger } from '../telemetry/logger.ts';
import { jobSchema, queueName, queuePrefix, type Job } from './contracts.ts';

/** What BullMQ keeps a priority in has 21 bits. */
const lowestPriority = 2 ** 21 - 1;

/** BullMQ takes jobs without one first, then the lowest. */
function priorityOf({ kind }: Job, turn: number | undefined): { readonly priority?: number } {
  if (kind === 'suspend' || kind === 'pause') return { priority: 2 };
  if (turn === undefined) return {};
  return { priority: turn === 1 ? 1 : Math.min(turn + 1, lowestPriority) };
}

export interface JobSender extends AsyncDisposable {
  /**
   * Puts a job on a node's queue; the operation's id is the job's id, so sending it again changes nothing. Wakes come in
   * the order of their turns, and what puts actors to sleep comes behind the first turn: it makes room for the others, but
   * a template that wants one wake does not wait for all that others have under way. Everything else comes before these.
   */
  send(nodeId: string, job: Job, turn?: number): Promise<void>;
  /** Jobs of a node that it has not begun. */
  waiting(nodeId: string): Promise<number>;
  /** Takes back a job that its node has not begun; one it has begun stays. */
  withdraw(nodeId: string, operationId: string): Promise<void>;
}

export function openJobSender(redisUrl: string, log: Logger): JobSender {
  const connection = connectRedis(redisUrl, log);
  const queues = new Map<string, Queue>();
  const queueOf = (nodeId: string): Queue => {
    let queue = queues.get(nodeId);
    if (queue === undefined) {
      queue = new Queue(queueName(nodeId), { connection, prefix: queuePrefix(nodeId) });
      queue.on('error', (error) => log.warn({ err: error.message, nodeId }, 'queue failed'));
      queues.set(nodeId, queue);
    }
    return queue;
  };
  return {
    async send(nodeId, job, turn) {
      const payload = jobSchema.parse(job);
      await translated(
        queueOf(nodeId).add(payload.kind, payload, {
          jobId: payload.operationId,
          attempts: 1,
          removeOnComplete: true,
          removeOnFail: true,
          ...priorityOf(payload, turn),
        }),
      );
    },
    waiting: (nodeId) => translated(queueOf(nodeId).getJobCountByTypes('waiting', 'prioritized')),
    async withdraw(nodeId, operationId) {
      await translated(queueOf(nodeId).remove(operationId));
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled([...queues.values()].map((queue) => queue.close()));
      connection.disconnect();
    },
  };
}
