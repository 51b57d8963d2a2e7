/**
 * Folders under a store's root: a name in a folder is durable only once the folder was synced, and the folder itself
 * only once its parent was. All of the chain is synced each time: another process may have made a folder a moment ago
 * and not have synced it yet, and syncing a clean folder costs next to nothing.
 */
import { mkdir, open, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from './errors.ts';

/** A deletion may remove the folder between its making and its use; each round is lost to a different deletion. */
const makeAttempts = 20;

/** Makes the folder of `target` and does `place`, which puts `target` there. */
export async function placeInFolder(target: string, place: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await mkdir(path.dirname(target), { recursive: true }); // can itself meet a deletion half-way
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
  if (firstMade !== undefined) await syncFolders(path.dirname(root), path.dirname(firstMade));
}

/** Syncs `from` and every folder above it up to `root`. */
export async function syncFolders(from: string, root: string): Promise<void> {
  await Promise.all(chain(from, root).map(syncFolder));
}

/** The folders that became empty, upwards, without the root. */
export async function removeEmptyFolders(from: string, root: string): Promise<void> {
  for (const folder of chain(from, root).filter((each) => each !== root)) {
    // Not empty, or gone already: either way another call looks after it.
    const removed = await rmdir(folder).then(
      () => true,
      () => false,
    );
    if (!removed) return;
  }
}

function chain(from: string, root: string): string[] {
  const folders = [from];
  for (let folder = from; folder !== root;) {
    folder = path.dirname(folder);
    folders.push(folder);
  }
  return folders;
}

async function syncFolder(folder: string): Promise<void> {
  try {
    await using handle = await open(folder, 'r');
    await handle.sync();
  } catch (error) {
    // Removed by a deletion since: then nothing of ours is in it.
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
