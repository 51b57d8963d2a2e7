/**
 * Paths inside an image's root file system, resolved as a process in the container would: an absolute link starts at the
 * image's root and `..` stops there. An image cannot make us read or write a file of the host.
 * Failure: `image-invalid` for a link loop or a file where a folder has to be.
 */
import { lstat, readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';

// What Linux itself follows before it answers ELOOP.
const linkLimit = 40;

/** The host path that `inner` leads to, every link followed. The end of the path, or all of it, may not exist. */
export async function resolveInside(root: string, inner: string): Promise<string> {
  let resolved: string[] = [];
  const pending = inner.split('/').reverse();
  for (let links = 0; pending.length > 0;) {
    const name = pending.pop();
    if (name === undefined || name === '' || name === '.') continue;
    if (name === '..') {
      resolved.pop();
      continue;
    }
    const target = await linkTarget(path.join(root, ...resolved, name));
    if (target === undefined) {
      resolved.push(name);
      continue;
    }
    if (++links > linkLimit)
      throw new DormouseError('image-invalid', `too many links in the path ${inner} of the image`);
    if (target.startsWith('/')) resolved = [];
    pending.push(...target.split('/').reverse());
  }
  return path.join(root, ...resolved);
}

async function linkTarget(file: string): Promise<string | undefined> {
  const stats = await lstat(file).catch(ignoreMissing);
  return stats?.isSymbolicLink() ? readlink(file) : undefined;
}

/** The text of a file of the image; undefined when there is none. */
export async function readInside(root: string, inner: string): Promise<string | undefined> {
  return readFile(await resolveInside(root, inner), 'utf8').catch(ignoreMissing);
}

/** ENOTDIR too: a path through a file leads nowhere. */
export function ignoreMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
    return undefined;
  throw error;
}
