/** Where the scenarios put what they measured, and where the progress display and the report find it. */
import type { Sample, Sleep } from './result/result.ts';

export interface Recorder {
  readonly samples: readonly Sample[];
  readonly sleeps: readonly Sleep[];
  /** Calls of the warm-up: counted, and otherwise forgotten. */
  readonly discarded: number;
  /** `isWarmUp`: a call of a warm-up that the scenario itself counts by time. */
  record(sample: Sample, isWarmUp?: boolean): void;
  recordSleep(sleep: Sleep): void;
  /** From now on nothing is kept, until `keep`. */
  discard(): void;
  keep(): void;
}

export function createRecorder(): Recorder {
  const samples: Sample[] = [];
  const sleeps: Sleep[] = [];
  let discarded = 0;
  let keeping = true;
  return {
    samples,
    sleeps,
    get discarded() {
      return discarded;
    },
    record(sample, isWarmUp = false) {
      if (keeping && !isWarmUp) samples.push(sample);
      else discarded++;
    },
    recordSleep(sleep) {
      if (keeping) sleeps.push(sleep);
    },
    discard: () => void (keeping = false),
    keep: () => void (keeping = true),
  };
}
