/**
 * Keeps what an activation wrote in the store, for those who ask while the actor sleeps: written when its guest was frozen
 * and when it ends, never on the way to what is durable. Best effort: what fails is logged and forgotten.
 *
 * With encryption configured nothing is kept. The api, which reads these objects, has no keys, and no plain text of an
 * actor leaves its node then.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { newestOf, type LogLine } from '../../shared/logs/line.ts';
import { encodeLines, keptBytes, listStored } from '../../shared/logs/stored.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import { objectKeys } from '../../shared/snapshot/object-keys.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';
import type { Identity } from '../sandbox/sandbox.ts';

/** One small object and one listing. */
const keepLimitMs = 10_000;
/** A deletion lists what is to go right after the end: what is on its way then should have arrived. */
const settleLimitMs = 2000;

export interface LogKeeper {
  /** Starts to write the lines, unless there is nothing new since the last time. */
  keep(lines: readonly LogLine[]): void;
  /** Waits for what is on its way, for a moment. */
  settled(): Promise<void>;
}

export interface LogKeeperOptions {
  readonly store: ObjectStore;
  readonly identity: Identity;
  readonly log: Logger;
}

export function keepLogs({ store, identity, log }: LogKeeperOptions): LogKeeper {
  // What was in the memory it began with was kept when that was captured, but for a golden's.
  const since = identity.generation === 0 ? 0n : BigInt(Date.now()) * 1_000_000n;
  let last: LogLine | undefined;
  let underWay = Promise.resolve();

  return {
    keep(lines) {
      const own = lines.filter(({ unixNanos }) => unixNanos >= since);
      const newest = own.at(-1);
      if (newest === undefined || newest === last) return;
      last = newest;
      underWay = underWay
        .then(() => write(store, identity, newestOf(own, keptBytes), AbortSignal.timeout(keepLimitMs)))
        .catch((error: unknown) => log.warn({ err: error }, 'the logs of an activation were not kept'));
    },
    settled: () => Promise.race([underWay, delay(settleLimitMs, undefined, { ref: false })]),
  };
}

async function write(
  store: ObjectStore,
  { id, uid, epoch }: Identity,
  lines: readonly LogLine[],
  signal: AbortSignal,
): Promise<void> {
  const key = objectKeys.actorLog(id, uid, epoch, Date.now());
  await store.put(key, { kind: 'bytes', bytes: await encodeLines(lines) }, { signal });
  const objects = await listStored(store, id, uid, { signal });
  let budgetBytes = keptBytes;
  for (const { key: other, sizeBytes } of objects.reverse()) {
    budgetBytes -= sizeBytes;
    if (other !== key && budgetBytes < 0) await store.delete(other, { signal });
  }
}
