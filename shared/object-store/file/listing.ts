/** Listing a folder of a store, depth first; reading one folder is a call of its own. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ListedObject } from '../object-store.ts';
import type { RunCall } from '../store-call.ts';
import { errnoOf } from './errors.ts';

interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

/** In the order of whole keys: a folder sorts as its name with the slash. */
export async function* listFolder(folder: string, prefix: string, run: RunCall): AsyncGenerator<ListedObject> {
  for (const entry of await run(() => readFolder(folder))) {
    if (entry.isFolder) yield* listFolder(path.join(folder, entry.name), `${prefix}${entry.name}/`, run);
    else yield { key: prefix + entry.name, sizeBytes: entry.sizeBytes, modifiedAtMs: entry.modifiedAtMs };
  }
}

async function readFolder(folder: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  try {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.name.startsWith('.')) continue; // ours, or no object's
      if (entry.isDirectory()) entries.push({ name: entry.name, isFolder: true, sizeBytes: 0, modifiedAtMs: 0 });
      else if (entry.isFile()) entries.push(...(await objectEntry(folder, entry.name)));
    }
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error; // deleted meanwhile
  }
  const sortName = (entry: Entry): string => (entry.isFolder ? `${entry.name}/` : entry.name);
  return entries.sort((a, b) => (sortName(a) < sortName(b) ? -1 : 1));
}

async function objectEntry(folder: string, name: string): Promise<Entry[]> {
  try {
    const { size, mtimeMs } = await stat(path.join(folder, name));
    return [{ name, isFolder: false, sizeBytes: size, modifiedAtMs: Math.round(mtimeMs) }];
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []; // deleted meanwhile
    throw error;
  }
}
