/**
 * Keeps what an activation writes in the store, for those who ask while the actor sleeps and after its node has died:
 *
 *   while it runs   what is new, every few seconds, as a piece of its own (bounds what a killed worker takes with it)
 *   frozen, ended   the newest lines as one object, and the pieces go; so do older activations' beyond the bound
 *
 * Never on the way to what is durable, and best effort: what fails is logged, and the next write has it all. With keys
 * configured each object is sealed like a part of a snapshot; the api, which has none, asks a node to open them.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { newestOf, type LogLine } from '../../shared/logs/line.ts';
import { dropLines, keptBytes, listStored, putLines, type LogStore } from '../../shared/logs/stored.ts';
import { objectKeys } from '../../shared/snapshot/object-keys.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';
import type { Identity } from '../sandbox/sandbox.ts';

/** A small object or two, and one listing. */
const keepLimitMs = 10_000;
/** A deletion lists what is to go right after the end: what is on its way then should have arrived. */
const settleLimitMs = 2000;
/** Of one activation. Each costs a reader a request; making one of them all costs the node up to a megabyte to write. */
const mostPieces = 12;

export interface LogKeeper {
  /** Starts to write all lines as one object, unless there is nothing new since the last time. */
  keep(lines: readonly LogLine[]): void;
  /** Starts to write what is new since the last time, unless a write is under way. */
  flush(lines: readonly LogLine[]): void;
  /** Waits for what is on its way, for a moment. */
  settled(): Promise<void>;
}

export interface LogKeeperOptions extends LogStore {
  readonly identity: Identity;
  readonly log: Logger;
}

export function keepLogs({ store, keyRing, identity, log }: LogKeeperOptions): LogKeeper {
  const { id, uid, epoch } = identity;
  // What was in the memory it began with was kept when that was captured, but for a golden's.
  const since = identity.generation === 0 ? 0n : BigInt(Date.now()) * 1_000_000n;
  let last: LogLine | undefined;
  /** Objects of this activation. */
  let pieces: string[] = [];
  let isWhole = true;
  let attempt = 0;
  let writes = 0;
  let underWay = Promise.resolve();

  const put = async (lines: readonly LogLine[], signal: AbortSignal): Promise<string> => {
    attempt = Math.max(Date.now(), attempt + 1);
    const key = objectKeys.actorLog(id, uid, epoch, attempt);
    await putLines({ store, keyRing }, key, lines, { signal });
    return key;
  };
  const writeWhole = async (own: readonly LogLine[], signal: AbortSignal): Promise<void> => {
    const key = await put(newestOf(own, keptBytes), signal);
    const before = pieces;
    [pieces, isWhole] = [[key], true];
    for (const piece of before) await dropLines(store, piece, { signal });
    await dropOldest({ store, keyRing }, identity, key, signal);
  };
  const writePiece = async (fresh: readonly LogLine[], signal: AbortSignal): Promise<void> => {
    pieces.push(await put(newestOf(fresh, keptBytes), signal));
  };
  const start = (write: (signal: AbortSignal) => Promise<void>): void => {
    writes++;
    underWay = underWay
      .then(() => write(AbortSignal.timeout(keepLimitMs)))
      .catch((error: unknown) => {
        last = undefined; // the next write has it all
        log.warn({ err: error }, 'the logs of an activation were not kept');
      })
      .finally(() => writes--);
  };
  const hasNew = (newest: LogLine | undefined): newest is LogLine =>
    newest !== undefined && newest !== last && newest.unixNanos >= since;

  const ownOf = (lines: readonly LogLine[]): LogLine[] => lines.filter(({ unixNanos }) => unixNanos >= since);
  const keep = (lines: readonly LogLine[]): void => {
    const newest = lines.at(-1);
    if (!hasNew(newest) && isWhole) return;
    last = newest;
    start((signal) => writeWhole(ownOf(lines), signal));
  };

  return {
    keep,
    flush(lines) {
      const newest = lines.at(-1);
      if (writes > 0 || !hasNew(newest)) return;
      if (pieces.length >= mostPieces) {
        keep(lines);
        return;
      }
      const known = last === undefined ? -1 : lines.lastIndexOf(last);
      const fresh = ownOf(lines.slice(known + 1));
      [last, isWhole] = [newest, false];
      start((signal) => writePiece(fresh, signal));
    },
    settled: () => Promise.race([underWay, delay(settleLimitMs, undefined, { ref: false })]),
  };
}

/** Those of all activations of the actor together are bounded. */
async function dropOldest(
  { store }: LogStore,
  { id, uid }: Identity,
  newest: string,
  signal: AbortSignal,
): Promise<void> {
  const objects = await listStored(store, id, uid, { signal });
  let budgetBytes = keptBytes;
  for (const { key, sizeBytes } of objects.reverse()) {
    budgetBytes -= sizeBytes;
    if (key !== newest && budgetBytes < 0) await dropLines(store, key, { signal });
  }
}
