/**
 * The one recursive delete. It refuses anything that is not strictly below `within`, and anything that still has a mount
 * below it: deleting through a bind mount would delete the image behind it.
 */
import { readFile, realpath, rm } from 'node:fs/promises';
import path from 'node:path';
import { DormouseError } from '../errors/dormouse-error.ts';

export async function removeTree(target: string, within: string): Promise<void> {
  const parent = await realpath(path.dirname(path.resolve(target))).catch(() => undefined);
  if (parent === undefined) return; // no parent: nothing to remove
  const resolved = path.join(parent, path.basename(target));
  const root = await realpath(within);
  if (!resolved.startsWith(root + path.sep)) {
    throw new DormouseError('internal', `refusing to delete ${resolved}: it is not below ${root}`);
  }
  const mounts = await mountsBelow(resolved);
  if (mounts.length > 0) {
    throw new DormouseError('internal', `refusing to delete ${resolved}: ${mounts.join(', ')} is still mounted`);
  }
  await rm(resolved, { recursive: true, force: true });
}

/** Mount points at or below a folder, deepest first (the order to unmount them in). */
export async function mountsBelow(folder: string): Promise<string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  const points = table
    .split('\n')
    .map((line) => line.split(' ')[4])
    .filter((point) => point !== undefined)
    .map((point) => point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))));
  return points.filter((point) => point === folder || point.startsWith(folder + path.sep)).reverse();
}
