/**
 * What the store keeps of an actor's lines, opened with this node's keys, for an api that has none. Failures: the store's
 * own, and `encryption-key-missing` where this node has no key either.
 */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { LogLine } from '../../shared/logs/line.ts';
import { readStored, type LogStore } from '../../shared/logs/stored.ts';

/** Some objects of a few hundred kilobytes. */
const readLimitMs = 10_000;

export type ReadKept = (id: string, uid: string) => Promise<readonly LogLine[]>;

export const readKept =
  (kept: LogStore): ReadKept =>
  async (id, uid) => {
    const lines = await readStored(kept, id, uid, { signal: AbortSignal.timeout(readLimitMs) });
    if (lines !== undefined) return lines;
    throw new DormouseError('encryption-key-missing', `the log of ${id} is encrypted, and this node has no key`);
  };
