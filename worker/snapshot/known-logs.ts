/**
 * The ends of logs that this very worker wrote, so that a wake where the actor slept asks the store nothing, and a suspend
 * does not look again for generations that the worker has seen.
 *
 * What is remembered holds for the activation that comes right after the one that wrote it: the claim says which one was
 * before (`previousEpoch`), and nobody else may add to a log but fences, which a commit passes over when they are older
 * than itself. Any other activation in between, a new life of the registry, a new life of the id or another end of the log
 * makes it worthless, and the log is read (durable-state.ts).
 */
import type { ActorRecord } from '../../shared/registry/records.ts';
import type { LogEntry, SnapshotEntry } from '../../shared/snapshot/actor-log.ts';

export interface KnownLog {
  readonly head: SnapshotEntry;
  /** All that stand before it; undefined while they were not looked for. */
  readonly older: readonly LogEntry[] | undefined;
}

export interface KnownLogs {
  /** The newest entry, if it is certain that the actor starts from it. */
  headFor(record: ActorRecord): SnapshotEntry | undefined;
  /** All that stand in the log after its `seq`th entry was written by us, without that one. */
  before(id: string, uid: string, seq: number): readonly LogEntry[] | undefined;
  keep(id: string, log: KnownLog): void;
  /** Whether it is still the newest that was kept. */
  isHead(id: string, head: SnapshotEntry): boolean;
}

/** Some kilobytes each. */
const keptLogs = 2000;

export function createKnownLogs(): KnownLogs {
  const logs = new Map<string, KnownLog>(); // the one that was written longest ago first
  return {
    headFor({ id, uid, unfenced, previousEpoch, logSeq }) {
      const head = logs.get(id)?.head;
      const isNewest = head?.uid === uid && head.seq === logSeq && head.epoch === previousEpoch;
      return isNewest && unfenced !== true ? head : undefined;
    },
    before(id, uid, seq) {
      const log = logs.get(id);
      if (log?.older === undefined || log.head.uid !== uid || log.head.seq !== seq - 1) return undefined;
      return [...log.older, log.head];
    },
    keep(id, log) {
      logs.delete(id);
      logs.set(id, log);
      const [oldest] = logs.keys();
      if (logs.size > keptLogs && oldest !== undefined) logs.delete(oldest);
    },
    isHead: (id, head) => logs.get(id)?.head === head,
  };
}
