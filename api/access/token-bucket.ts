/** Token buckets: so many calls at once, and so many a second. Each process counts for itself. */
import type { RateLimit } from '../../shared/access/stored-tokens.ts';

export interface Bucket {
  /** Takes one; or takes none, and says in how many milliseconds there will be one. */
  take(): number;
}

/** What many small refills may lose to rounding: whoever waited as long as it was told is let in. */
const almost = 1e-9;

type Clock = () => number;
const monotonic: Clock = () => performance.now();

export function createBucket({ perSecond, burst }: RateLimit, now: Clock = monotonic): Bucket {
  let level = burst;
  let filledAt = now();
  return {
    take() {
      const at = now();
      level = Math.min(burst, level + ((at - filledAt) / 1000) * perSecond);
      filledAt = at;
      if (level < 1 - almost) return Math.ceil(((1 - level) / perSecond) * 1000);
      level = Math.max(0, level - 1);
      return 0;
    },
  };
}
