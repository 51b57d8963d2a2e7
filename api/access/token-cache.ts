/**
 * Token records as the store has them, kept for a few seconds, so that a call costs no look into the store. A revocation
 * is announced and ends what is kept at once; the limits below are for an announcement that was lost.
 *
 *   read ──► fresh ──► ageing: still good, read again beside the call ──► old: read again before the call is let in
 *                                                    the store does not answer: still good until it is `staleMs` old
 *
 * Failures: those of the store, and `rate-limited` for ids that nobody knows, if there are too many of them.
 */
import { readStoredToken, type StoredToken } from '../../shared/access/stored-tokens.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import type { Registry } from '../../shared/registry/registry.ts';
import { createBucket } from './token-bucket.ts';

export interface TokenCache extends Disposable {
  /** Undefined when there is none. Not a promise when nothing has to be waited for. */
  get(id: string): StoredToken | undefined | Promise<StoredToken | undefined>;
}

export interface CacheTimes {
  readonly freshMs: number;
  readonly oldMs: number;
  readonly staleMs: number;
  /** A read that takes longer has failed; as long again the store is not waited for. */
  readonly readMs: number;
}

/**
 * A revocation that nobody heard of takes hold after `oldMs`; after `staleMs` while the store does not answer either, which
 * is to say that calls go on through a short failure of the store.
 */
const usualTimes: CacheTimes = { freshMs: 4000, oldMs: 8000, staleMs: 60_000, readMs: 2000 };
/** Some hundred bytes each. */
const kept = 10_000;
/** Of ids not kept: new tokens come now and then; more is somebody who guesses, at the store's expense. */
const strangers = { perSecond: 20, burst: 100 };

interface Entry {
  readonly token: StoredToken | undefined;
  readonly readAt: number;
}

async function readInTime(store: ObjectStore, id: string, limitMs: number): Promise<StoredToken | undefined> {
  const limit = new AbortController();
  const late = new DormouseError('store-unavailable', `the store did not tell of a token within ${limitMs} ms`);
  const timer = setTimeout(() => limit.abort(late), limitMs);
  try {
    return await readStoredToken(store, id, { signal: limit.signal });
  } finally {
    clearTimeout(timer);
  }
}

export function createTokenCache(
  store: ObjectStore,
  registry: Pick<Registry, 'watch'>,
  times = usualTimes,
): TokenCache {
  const entries = new Map<string, Entry>();
  const reads = new Map<string, Promise<StoredToken | undefined>>();
  const unknown = createBucket(strangers);
  let failedAt = -Infinity;
  const feed = registry.watch((change) => {
    if (change.kind !== 'token') return;
    entries.delete(change.id);
    reads.delete(change.id); // what a read under way finds is not kept
  });

  const read = (id: string): Promise<StoredToken | undefined> => {
    const underWay = reads.get(id);
    if (underWay !== undefined) return underWay;
    const readAt = performance.now();
    const reading = readInTime(store, id, times.readMs).then((token) => {
      if (reads.get(id) === reading) keep(id, { token, readAt });
      return token;
    });
    const over = (): void => {
      if (reads.get(id) === reading) reads.delete(id);
    };
    reads.set(id, reading);
    reading.then(over, over);
    return reading;
  };
  const keep = (id: string, entry: Entry): void => {
    const [oldest] = entries.keys();
    if (entries.size >= kept && oldest !== undefined && !entries.has(id)) entries.delete(oldest);
    entries.set(id, entry);
  };
  const isStale = ({ readAt }: Entry): boolean => performance.now() - readAt >= times.staleMs;
  const readAgain = async (id: string, entry: Entry): Promise<StoredToken | undefined> => {
    try {
      return await read(id);
    } catch (error) {
      failedAt = performance.now();
      if (isStale(entry)) throw error;
      return entry.token;
    }
  };
  return {
    get(id) {
      const entry = entries.get(id);
      if (entry === undefined) {
        const waitMs = reads.has(id) ? 0 : unknown.take();
        if (waitMs > 0) {
          throw new DormouseError('rate-limited', 'too many unknown tokens at the moment', { retryAfterMs: waitMs });
        }
        return read(id);
      }
      const ageMs = performance.now() - entry.readAt;
      const isAway = performance.now() - failedAt < times.readMs;
      if (ageMs >= times.oldMs && (!isAway || isStale(entry))) return readAgain(id, entry);
      if (ageMs >= times.freshMs) read(id).catch(() => undefined); // tried again by the next call
      return entry.token;
    },
    [Symbol.dispose]: () => feed[Symbol.dispose](),
  };
}
