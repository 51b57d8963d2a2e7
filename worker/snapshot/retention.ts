/**
 * Keeps the newest generations of an actor and removes older ones: first the log entry, so that nobody follows it, then
 * its objects. Best effort: what is left is removed the next time.
 */
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import { readEntry, type LogEntry } from '../../shared/snapshot/actor-log.ts';
import type { SnapshotPart } from '../../shared/snapshot/manifest.ts';
import { objectKeys, sequenceOf } from '../../shared/snapshot/object-keys.ts';

export async function dropOldGenerations(
  store: ObjectStore,
  id: string,
  newest: { readonly uid: string; readonly generation: number; readonly seq: number },
  retain: number,
  signal: AbortSignal,
): Promise<number> {
  let dropped = 0;
  for await (const object of store.list(objectKeys.logFolder(id), { signal })) {
    const seq = sequenceOf(object.key);
    if (seq === undefined || seq >= newest.seq) continue;
    const entry = await readEntry(store, id, seq, { signal });
    if (!isOutdated(entry, newest, retain)) continue;
    await store.delete(object.key, { signal });
    if (entry.kind === 'snapshot') {
      await Promise.all(Object.values(entry.manifest.parts).map((part) => deletePart(store, part, signal)));
    }
    dropped++;
  }
  return dropped;
}

/** The wrapped keys first: without them the rest is noise, should it outlive us. */
async function deletePart(store: ObjectStore, part: SnapshotPart, signal: AbortSignal): Promise<void> {
  if (part.encryption !== undefined) {
    for await (const { key } of store.list(objectKeys.wrappedKeys(part.key), { signal }))
      await store.delete(key, { signal });
  }
  await store.delete(part.key, { signal });
}

/** A fence older than the newest snapshot has done its work; a `created` entry says what the actor is and stays. */
function isOutdated(
  entry: LogEntry,
  newest: { readonly uid: string; readonly generation: number },
  retain: number,
): boolean {
  if (entry.kind === 'fence') return true;
  return entry.kind === 'snapshot' && entry.uid === newest.uid && entry.generation <= newest.generation - retain;
}
