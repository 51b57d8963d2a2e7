/** A digest over a set of source files: their names and contents, nothing else. */
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { sha256OfFile } from '../../shared/assets/asset-set.ts';

/** Files below a folder that pass, relative to it, sorted. */
export async function filesBelow(folder: string, passes: (relative: string) => boolean): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter(passes)
    .sort();
}

export async function digestOfFiles(folder: string, files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\0${await sha256OfFile(path.join(folder, file))}\n`);
  return hash.digest('hex');
}
