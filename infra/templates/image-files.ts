/** Puts files into an image's root with modes of their own: the umask and git's checkout must not change a digest. */
import { chmod, copyFile, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';

/** Makes the folder and those above it, up to the root. */
export async function placeFolder(root: string, inner: string): Promise<void> {
  let folder = root;
  for (const name of inner.split('/').filter(Boolean)) {
    folder = path.join(folder, name);
    const made = await mkdir(folder).then(
      () => true,
      (error: unknown) => ignoreExisting(error),
    );
    if (made) await chmod(folder, 0o755);
  }
}

function ignoreExisting(error: unknown): false {
  if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
  throw error;
}

export async function placeFile(source: string, root: string, inner: string, mode = 0o644): Promise<void> {
  await placeFolder(root, path.dirname(inner));
  await copyFile(source, path.join(root, inner));
  await chmod(path.join(root, inner), mode);
}

/** The files that a counter deletes, renames and overwrites. */
export async function placeLowerFiles(root: string): Promise<void> {
  const lower = path.join(import.meta.dirname, 'counter/lower');
  for (const name of await readdir(lower))
    await placeFile(path.join(lower, name), root, `var/lib/counter/lower/${name}`);
}
