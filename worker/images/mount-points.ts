/**
 * The folders and files that a container runtime mounts over. They are made once in the lower, because in the guest the
 * lower cannot be written and a mount has to have a place.
 * Failure: `image-invalid` when the image has a file where one of these folders has to be.
 */
import { chmod, lstat, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { ignoreMissing, resolveInside } from './inside-root.ts';

const folders: readonly (readonly [string, number])[] = [
  ['/tmp', 0o1777],
  ['/proc', 0o755],
  ['/sys', 0o755],
  ['/dev', 0o755],
  ['/dev/pts', 0o755],
  ['/dev/shm', 0o1777],
  ['/run', 0o755],
  ['/run/dormouse', 0o755],
  ['/etc', 0o755],
];

// Most images leave /etc/hosts to the runtime. Without this line `localhost` means nothing to a container.
const files: readonly (readonly [string, string])[] = [
  ['/etc/resolv.conf', ''],
  ['/etc/hosts', '127.0.0.1\tlocalhost\n'],
  ['/etc/hostname', ''],
];

/** Leaves alone what is there and not empty. Modes are set outright: a umask must not change the tree's digest. */
export async function createMountPoints(root: string): Promise<void> {
  for (const [inner, mode] of folders) await createFolder(root, inner, mode);
  for (const [inner, content] of files) await createFile(root, inner, content);
}

async function createFolder(root: string, inner: string, mode: number): Promise<void> {
  const folder = await resolveInside(root, inner);
  const stats = await lstat(folder).catch(ignoreMissing);
  if (stats?.isDirectory()) return;
  if (stats) throw new DormouseError('image-invalid', `the image has a file where the folder ${inner} has to be`);
  // A link may lead to a folder whose parents are not there either, such as /tmp -> /var/tmp.
  const made = await mkdir(folder, { recursive: true });
  for (let each = folder; made !== undefined && each.length > made.length; each = path.dirname(each))
    await chmod(each, 0o755);
  if (made !== undefined) await chmod(made, 0o755);
  await chmod(folder, mode);
}

/** A link that leads nowhere counts as there: its target is made by whoever starts the container. */
async function createFile(root: string, inner: string, content: string): Promise<void> {
  const file = path.join(await resolveInside(root, path.dirname(inner)), path.basename(inner));
  const stats = await lstat(file).catch(ignoreMissing);
  if (stats && !(stats.isFile() && stats.size === 0)) return;
  await writeFile(file, content);
  if (!stats) await chmod(file, 0o644);
}
