/**
 * One hand more than a node has jobs at once, for a wake that nothing of its lane (shared/jobs/node-line.ts) keeps company.
 * The queue lets a lone wake be the next; but while every hand is at work for a burst it would still wait for the first of them
 * to be done, and hands that began together are done together, a cold start's length later.
 *
 * While all hands are busy the queue's head is looked at. A wake of a lane of which nothing is under way here is begun
 * beside them. No more than one at a time: two lone wakes are less than a burst.
 */
import { laneKey } from '../../shared/jobs/node-line.ts';
import { laneOfJob, type Job } from '../../shared/jobs/contracts.ts';

/** A tenth of a wake; two commands of Redis each, and only while a node has no hand free. */
const lookEveryMs = 20;

export interface SpareHandOptions {
  /** Hands that take whatever is next. */
  readonly hands: number;
  /** The job that the queue gives out next. */
  readonly head: () => Promise<Job | undefined>;
  /** Takes the job that is next, whatever it is by now, and does it. Rejects only when the queue fails. */
  readonly takeNext: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}

export interface SpareHand extends AsyncDisposable {
  /** Does a job, and knows meanwhile that it is under way. */
  during<Result>(job: Job, work: () => Promise<Result>): Promise<Result>;
}

export function createSpareHand({ hands, head, takeNext, onError }: SpareHandOptions): SpareHand {
  const lanes = new Map<string, number>(); // jobs under way
  let busy = 0;
  let timer: NodeJS.Timeout | undefined;
  let helping: Promise<void> | undefined;
  let isOver = false;

  const help = async (): Promise<void> => {
    const job = await head();
    const lane = job && laneOfJob(job);
    // Looked at again: a hand may have become free meanwhile, and takes it anyway.
    if (lane !== undefined && busy >= hands && !lanes.has(laneKey(lane))) await takeNext();
  };
  const look = (): void => {
    helping ??= help()
      .catch(onError)
      .finally(() => (helping = undefined));
  };
  const watch = (): void => {
    const isNeeded = busy >= hands && !isOver;
    if (isNeeded) timer ??= setInterval(look, lookEveryMs).unref();
    else {
      clearInterval(timer);
      timer = undefined;
    }
  };
  return {
    async during(job, work) {
      const lane = laneOfJob(job);
      const key = lane && laneKey(lane);
      if (key !== undefined) lanes.set(key, (lanes.get(key) ?? 0) + 1);
      busy++;
      watch();
      try {
        return await work();
      } finally {
        busy--;
        watch();
        const left = key === undefined ? 0 : (lanes.get(key) ?? 0) - 1;
        if (key !== undefined && left > 0) lanes.set(key, left);
        else if (key !== undefined) lanes.delete(key);
      }
    },
    async [Symbol.asyncDispose]() {
      isOver = true;
      watch();
      await helping;
    },
  };
}
