/**
 * Keeps the newest generations of an actor and removes older ones: first the log entry, so that nobody follows it, then
 * its objects, except those that a generation which stays lies over. The newest generation, which is the one that a resume reads, is never touched. Best effort: an entry that
 * could not be removed is removed the next time; objects whose entry is gone are garbage, and are collected as such.
 *
 * A fence holds its place for a day: a writer that slept for so long (a stopped process, a machine in standby) has lost
 * its lease, its job and its epoch before it could try.
 */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import { readEntry, type LogEntry } from '../../shared/snapshot/actor-log.ts';
import { neededParts, type SnapshotManifest, type SnapshotPart } from '../../shared/snapshot/manifest.ts';
import { objectKeys, sequenceOf } from '../../shared/snapshot/object-keys.ts';

const fenceKeptMs = 24 * 3600 * 1000;

export interface Newest {
  readonly uid: string;
  readonly generation: number;
  readonly seq: number;
  readonly manifest: SnapshotManifest;
}

export interface Dropped {
  /** What stands before the newest entry now; undefined when an entry cannot be read, so that the next look is a real one. */
  readonly kept: readonly LogEntry[] | undefined;
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
  const log = known === undefined ? await readOthers(store, id, newest, signal) : { entries: known, isReadable: true };
  const doomed = log.entries.filter((entry) => entry.seq < newest.seq && isOutdated(entry, newest, retain));
  const kept = log.entries.filter((entry) => !doomed.includes(entry));
  const needed = new Set([newest.manifest, ...kept.flatMap(manifestsOf)].flatMap(neededParts).map(({ key }) => key));
  for (const entry of doomed) {
    await store.delete(objectKeys.logEntry(id, entry.seq), { signal });
    // What an entry that cannot be read needs is not known: then parts stay, for the garbage collector to judge.
    if (log.isReadable) for (const part of partsOf(id, entry, needed)) await deletePart(store, part, signal);
  }
  const older = kept.filter(({ seq }) => seq < newest.seq);
  return { kept: log.isReadable ? older : undefined, dropped: doomed.length };
}

async function readOthers(
  store: ObjectStore,
  id: string,
  newest: Newest,
  signal: AbortSignal,
): Promise<{ entries: LogEntry[]; isReadable: boolean }> {
  const entries: LogEntry[] = [];
  let isReadable = true;
  for await (const { key } of store.list(objectKeys.logFolder(id), { signal })) {
    const seq = sequenceOf(key);
    if (seq === undefined || seq === newest.seq) continue;
    const entry = await readEntry(store, id, seq, { signal }).catch(unlessUnreadable);
    if (entry === 'damaged') isReadable = false;
    else if (entry !== 'gone') entries.push(entry);
  }
  return { entries, isReadable };
}

const manifestsOf = (entry: LogEntry): SnapshotManifest[] => (entry.kind === 'snapshot' ? [entry.manifest] : []);

/** The wrapped keys first: without them the rest is noise, should it outlive us. */
async function deletePart(store: ObjectStore, part: SnapshotPart, signal: AbortSignal): Promise<void> {
  if (part.encryption !== undefined) {
    for await (const { key } of store.list(objectKeys.wrappedKeys(part.key), { signal }))
      await store.delete(key, { signal });
  }
  await store.delete(part.key, { signal });
}

/**
 * Only what lies among the actor's own blobs: an entry that was tampered with must not reach anything else. A part that a
 * later generation lies over stays until that one goes.
 */
function partsOf(id: string, entry: LogEntry, needed: ReadonlySet<string>): SnapshotPart[] {
  const folder = objectKeys.actorBlobs(id, entry.uid);
  return manifestsOf(entry)
    .flatMap(neededParts)
    .filter(({ key }) => key.startsWith(folder) && !needed.has(key));
}

/** A `created` entry says what the actor is and stays. */
function isOutdated(entry: LogEntry, newest: Newest, retain: number): boolean {
  if (entry.uid !== newest.uid) return false;
  if (entry.kind === 'fence') return Date.parse(entry.at) < Date.now() - fenceKeptMs;
  return entry.kind === 'snapshot' && entry.generation <= newest.generation - Math.max(1, retain);
}

/** Somebody else removed it, or it is damaged, which fsck reports: neither keeps the others. */
function unlessUnreadable(error: unknown): 'gone' | 'damaged' {
  if (!(error instanceof DormouseError)) throw error;
  if (error.code === 'store-object-missing') return 'gone';
  if (error.code === 'snapshot-corrupt' || error.code === 'snapshot-unsupported') return 'damaged';
  throw error;
}
