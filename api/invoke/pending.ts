/** How many requests of this process wait for one actor to wake. */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';

export interface PendingRequests {
  /** Takes a place until it is disposed; throws `too-many-pending` when there is none. */
  enter(id: string, limit: number): Disposable;
}

/** A wake is over within seconds, so coming back sooner would only find the same queue. */
const retryAfterMs = 2000;

export function createPendingRequests(): PendingRequests {
  const counts = new Map<string, number>();
  return {
    enter(id, limit) {
      const count = counts.get(id) ?? 0;
      if (count >= limit) {
        throw new DormouseError('too-many-pending', `${count} requests wait for ${id} already`, { retryAfterMs });
      }
      counts.set(id, count + 1);
      let left = false;
      return {
        [Symbol.dispose]() {
          if (left) return;
          left = true;
          const rest = (counts.get(id) ?? 1) - 1;
          if (rest > 0) counts.set(id, rest);
          else counts.delete(id);
        },
      };
    },
  };
}
