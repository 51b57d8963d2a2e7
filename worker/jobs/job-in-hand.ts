/**
 * The jobs under way in this worker, by what they would do. A queue delivers a job at least once; a second delivery of one
 * that is in hand does nothing, so it can never start a second VM. (One of a job that is over finds the epoch, the state
 * or the operation moved on, and one that outlived its worker finds the actor fenced: node/recover.ts.)
 */
import type { Job } from '../../shared/jobs/contracts.ts';

export interface JobsInHand {
  /** Undefined when the same work is in hand already. */
  take(job: Job): Disposable | undefined;
  /** Whether any job of the actor is under way. */
  has(actorId: string): boolean;
  /** Whether this very job is. */
  holds(operationId: string): boolean;
}

export function createJobsInHand(): JobsInHand {
  const inHand = new Map<string, Job>();
  return {
    take(job) {
      const key = workOf(job);
      if (inHand.has(key)) return undefined;
      inHand.set(key, job);
      return { [Symbol.dispose]: () => void inHand.delete(key) };
    },
    holds: (operationId) => [...inHand.values()].some((job) => job.operationId === operationId),
    has: (actorId) => [...inHand.values()].some((job) => job.kind !== 'prepare-template' && job.actorId === actorId),
  };
}

function workOf(job: Job): string {
  if (job.kind === 'prepare-template') return `${job.kind}/${job.template}/${job.revision}`;
  return job.kind === 'delete' ? `${job.kind}/${job.actorId}` : `${job.kind}/${job.actorId}/${job.epoch}`;
}
