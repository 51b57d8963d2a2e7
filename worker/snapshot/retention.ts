/**
 * Keeps the newest generations of an actor and removes older ones: first the log entry, so that nobody follows it, then
 * its objects. The newest generation, which is the one that a resume reads, is never touched. Best effort: an entry that
 * could not be removed is removed the next time; objects whose entry is gone are garbage, and are collected as such.
 *
 * A fence holds its place for a day: a writer that slept for so long (a stopped process, a machine in standby) has lost
 * its lease, its job and its epoch before it could try.
 */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import { readEntry, type LogEntry } from '../../shared/snapshot/actor-log.ts';
import type { SnapshotPart } from '../../shared/snapshot/manifest.ts';
import { objectKeys, sequenceOf } from '../../shared/snapshot/object-keys.ts';

const fenceKeptMs = 24 * 3600 * 1000;

export interface Newest {
  readonly uid: string;
  readonly generation: number;
  readonly seq: number;
}

export interface Dropped {
  /** What stands before the newest entry now. */
  readonly kept: readonly LogEntry[];
  readonly dropped: number;
}

/** `known`: all that stand before the newest entry, when somebody knows; otherwise they are looked for. */
export async function dropOldGenerations(
  store: ObjectStore,
  id: string,
  newest: Newest,
  retain: number,
  signal: AbortSignal,
  known?: readonly LogEntry[],
): Promise<Dropped> {
  const older = known ?? (await readOlder(store, id, newest.seq, signal));
  const kept: LogEntry[] = [];
  for (const entry of older) {
    if (!isOutdated(entry, newest, retain)) {
      kept.push(entry);
      continue;
    }
    await store.delete(objectKeys.logEntry(id, entry.seq), { signal });
    for (const part of partsOf(id, entry)) await deletePart(store, part, signal);
  }
  return { kept, dropped: older.length - kept.length };
}

async function readOlder(store: ObjectStore, id: string, than: number, signal: AbortSignal): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for await (const { key } of store.list(objectKeys.logFolder(id), { signal })) {
    const seq = sequenceOf(key);
    if (seq === undefined || seq >= than) continue;
    const entry = await readEntry(store, id, seq, { signal }).catch(unlessUnreadable);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

/** The wrapped keys first: without them the rest is noise, should it outlive us. */
async function deletePart(store: ObjectStore, part: SnapshotPart, signal: AbortSignal): Promise<void> {
  if (part.encryption !== undefined) {
    for await (const { key } of store.list(objectKeys.wrappedKeys(part.key), { signal }))
      await store.delete(key, { signal });
  }
  await store.delete(part.key, { signal });
}

/** Only what lies among the actor's own blobs: an entry that was tampered with must not reach anything else. */
function partsOf(id: string, entry: LogEntry): SnapshotPart[] {
  if (entry.kind !== 'snapshot') return [];
  const folder = objectKeys.actorBlobs(id, entry.uid);
  return Object.values(entry.manifest.parts).filter((part) => part.key.startsWith(folder));
}

/** A `created` entry says what the actor is and stays. */
function isOutdated(entry: LogEntry, newest: Newest, retain: number): boolean {
  if (entry.uid !== newest.uid) return false;
  if (entry.kind === 'fence') return Date.parse(entry.at) < Date.now() - fenceKeptMs;
  return entry.kind === 'snapshot' && entry.generation <= newest.generation - Math.max(1, retain);
}

const passedOver: ReadonlySet<string> = new Set(['store-object-missing', 'snapshot-corrupt', 'snapshot-unsupported']);

/** Somebody else removed it, or it is damaged, which fsck reports: neither keeps the others. */
function unlessUnreadable(error: unknown): undefined {
  if (!(error instanceof DormouseError)) throw error;
  if (passedOver.has(error.code)) return undefined;
  throw error;
}
