/**
 * Folders under a store's root. A name in a folder is durable only once the folder was synced, and the folder itself only
 * once its parent was. Another process may have made a folder a moment ago and not have synced it yet, so a new name is
 * followed by a sync of the whole chain up to the root, unless this process did that before for the very same folder: a
 * folder that still stands has had all that are above it all the time.
 */
import { mkdir, open, rmdir } from 'node:fs/promises';
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

export interface DurableFolders {
  /** Makes the folder of `target`, does `place`, which puts `target` there, and makes the name durable. */
  place(target: string, place: () => Promise<void>): Promise<void>;
}

export function durableFolders(root: string): DurableFolders {
  /** What each folder was when all above it were synced, the least recently used first. */
  const durable = new Map<string, string>();
  const remember = (folder: string, identity: string): void => {
    durable.delete(folder);
    durable.set(folder, identity);
    const [oldest] = durable.keys();
    if (durable.size > rememberedFolders && oldest !== undefined) durable.delete(oldest);
  };
  const sync = async (folder: string): Promise<void> => {
    const identity = await syncFolder(folder, folder !== root);
    if (folder === root) return;
    if (identity === undefined || durable.get(folder) !== identity) await sync(path.dirname(folder));
    if (identity !== undefined) remember(folder, identity);
  };
  return {
    async place(target, place) {
      const folder = path.dirname(target);
      await placeIn(folder, place, durable.has(folder));
      await sync(folder);
    },
  };
}

/** `isThere`: it has been there, so it is not made before it is missed. */
async function placeIn(folder: string, place: () => Promise<void>, isThere: boolean): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (attempt > 1 || !isThere) await mkdir(folder, { recursive: true }); // can itself meet a deletion half-way
      await place();
      return;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || attempt === makeAttempts) throw error;
    }
  }
}

/** Makes the root of a store, durably up to the folder that was there before. */
export async function makeRoot(root: string): Promise<void> {
  const firstMade = await mkdir(root, { recursive: true });
  if (firstMade === undefined) return;
  const end = path.dirname(firstMade);
  for (let folder = root; folder !== end;) {
    folder = path.dirname(folder);
    await syncFolder(folder);
  }
}

/** The folders that became empty, upwards, without the root. */
export async function removeEmptyFolders(from: string, root: string): Promise<void> {
  for (let folder = from; folder !== root; folder = path.dirname(folder)) {
    // Not empty, or gone already: either way another call looks after it.
    const removed = await rmdir(folder).then(
      () => true,
      () => false,
    );
    if (!removed) return;
  }
}

/** Returns what tells this folder from any other that had or will have its name; undefined when nothing does. */
export async function syncFolder(folder: string, identify = false): Promise<string | undefined> {
  try {
    await using handle = await open(folder, 'r');
    const facts = identify ? await handle.stat({ bigint: true }) : undefined;
    await handle.sync();
    if (facts === undefined || facts.birthtimeNs === 0n) return undefined;
    const ageNs = BigInt(Date.now()) * 1_000_000n - facts.birthtimeNs;
    return ageNs < leastAgeNs ? undefined : `${facts.dev} ${facts.ino} ${facts.birthtimeNs}`;
  } catch (error) {
    // Removed by a deletion since: then nothing of ours is in it.
    if (errnoOf(error) !== 'ENOENT') throw error;
    return undefined;
  }
}
