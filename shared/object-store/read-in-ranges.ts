/**
 * A large object as a stream whose bytes come over several connections at once, in order. One connection is bounded by the
 * round trip and by what a store gives to one request; most stores give each request the same, so several bring more.
 *
 * Nothing here says that the object is what it should be: ranges are of the announced size, and the caller checks the
 * digest of all of it.
 */
import type { CallOptions, ObjectRange, ObjectStore } from './object-store.ts';

/** S3 recommends ranges of 8 to 16 MiB; smaller ones spread a golden of some tens of MiB over all lanes. */
export const rangeBytes = 4 * 1024 * 1024;
/** Ranges under way or waiting for their turn: what is held in memory is this often `rangeBytes`. */
const laneCount = 4;

/** Called with the size that the store says the object has, before anything of it is given out. */
export type CheckSize = (objectBytes: number) => void;

export async function* readInRanges(
  store: ObjectStore,
  key: string,
  sizeBytes: number,
  checkSize: CheckSize,
  { signal }: CallOptions = {},
): AsyncGenerator<Buffer> {
  const stop = new AbortController();
  const options = { signal: signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]) };
  const underWay: Promise<ObjectRange>[] = [];
  let start = 0;
  const fill = (): void => {
    // An empty object is asked for a byte, to see that it is there and empty.
    for (; underWay.length < laneCount && start < Math.max(1, sizeBytes); start += rangeBytes) {
      const length = Math.max(1, Math.min(rangeBytes, sizeBytes - start));
      const range = store.getRange(key, { start, length }, options);
      range.catch(() => undefined); // told when its turn comes
      underWay.push(range);
    }
  };
  try {
    fill();
    while (underWay[0] !== undefined) {
      const { bytes, objectBytes } = await underWay[0];
      checkSize(objectBytes);
      void underWay.shift();
      fill();
      yield bytes;
    }
  } finally {
    stop.abort();
    await Promise.allSettled(underWay);
  }
}
