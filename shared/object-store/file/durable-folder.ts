/**
 * Folders under a store's root. A name in a folder is durable only once the folder was synced, and the folder itself only
 * once its parent was. Another process may have made a folder a moment ago and not have synced it yet, so a new name is
 * followed by a sync of the whole chain up to the root, unless that was done here before for the very same folder: a
 * folder that still stands has had all that are above it all the time.
 *
 * Nothing here waits for anything but the file system: it runs in a thread of its own (folder-threads.ts).
 */
import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, rmdirSync } from 'node:fs';
import path from 'node:path';
import { errnoOf } from './errors.ts';

/** A deletion may remove the folder between its making and its use; each round is lost to a different deletion. */
const makeAttempts = 20;
/** Some hundred bytes each. */
const rememberedFolders = 10_000;
/**
 * A folder that was removed and made again may get its number again, and a time of birth within the same tick of the
 * clock. So a folder counts as the same one only if it was older than any tick when it was remembered.
 */
const leastAgeNs = 1_000_000_000n;

/** By path: what each folder was when all above it were synced; the least recently used first. */
const durable = new Map<string, string>();

/** Makes the folder of `target`, does `place`, which puts `target` there, and makes the name durable up to `root`. */
export function placeDurably(target: string, root: string, place: () => void): void {
  const folder = path.dirname(target);
  placeIn(folder, place);
  sync(folder, root);
}

function placeIn(folder: string, place: () => void): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      // One that has been there is not made before it is missed.
      if (attempt > 1 || !durable.has(folder)) mkdirSync(folder, { recursive: true }); // can itself meet a deletion
      place();
      return;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || attempt === makeAttempts) throw error;
    }
  }
}

function sync(folder: string, root: string): void {
  const identity = syncFolder(folder);
  if (folder === root) return;
  if (identity === undefined || durable.get(folder) !== identity) sync(path.dirname(folder), root);
  if (identity !== undefined) remember(folder, identity);
}

function remember(folder: string, identity: string): void {
  durable.delete(folder);
  durable.set(folder, identity);
  const [oldest] = durable.keys();
  if (durable.size > rememberedFolders && oldest !== undefined) durable.delete(oldest);
}

/** Makes the root of a store, durably up to the folder that was there before. */
export function makeRoot(root: string): void {
  const firstMade = mkdirSync(root, { recursive: true });
  if (firstMade === undefined) return;
  const end = path.dirname(firstMade);
  for (let folder = root; folder !== end;) {
    folder = path.dirname(folder);
    syncFolder(folder);
  }
}

/** The folders that became empty, upwards, without the root. */
export function removeEmptyFolders(from: string, root: string): void {
  for (let folder = from; folder !== root; folder = path.dirname(folder)) {
    try {
      rmdirSync(folder);
    } catch {
      return; // not empty, or gone already: either way another call looks after it
    }
  }
}

/** Returns what tells this folder from any other that had or will have its name; undefined when nothing does. */
export function syncFolder(folder: string): string | undefined {
  let handle: number;
  try {
    handle = openSync(folder, 'r');
  } catch (error) {
    // Removed by a deletion since: then nothing of ours is in it.
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { dev, ino, birthtimeNs } = fstatSync(handle, { bigint: true });
    fsyncSync(handle);
    const ageNs = BigInt(Date.now()) * 1_000_000n - birthtimeNs;
    return birthtimeNs === 0n || ageNs < leastAgeNs ? undefined : `${dev} ${ino} ${birthtimeNs}`;
  } finally {
    closeSync(handle);
  }
}
