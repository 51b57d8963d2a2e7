/**
 * Puts an image's root file system where virtiofsd serves it from: a read-only bind mount, so nothing is copied and no
 * size of image costs more than another. Set-uid bits stay in force: they are the guest's business.
 * Failure: `internal` with the words of `mount`.
 */
import { mkdir, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { mountsBelow } from '../../shared/process/remove-tree.ts';

// A DNS label, which has no `/`, `.` or `_`: neither a path nor a name of our own.
const containerNamePattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

// mount(2) of a local folder is immediate; this bounds a machine in trouble.
const mountTimeoutMs = 10_000;

export async function attachRoot(rootPath: string, sharedDir: string, containerName: string): Promise<AsyncDisposable> {
  if (!containerNamePattern.test(containerName)) {
    throw new DormouseError('invalid-input', `${JSON.stringify(containerName)} is not a container name (a DNS label)`);
  }
  const target = path.join(path.resolve(sharedDir), containerName, 'rootfs');
  await mkdir(target, { recursive: true });
  await mountTool(['mount', '--make-private', '--options', 'bind,ro', '--', rootPath, target]);
  return { [Symbol.asyncDispose]: () => detach(target) };
}

async function detach(target: string): Promise<void> {
  await unmount(target);
  await rmdir(target);
  await rmdir(path.dirname(target));
}

/** Unmounts everything at or below a folder: what a process that was killed had attached. Returns what it was. */
export async function unmountBelow(folder: string): Promise<string[]> {
  const points = await mountsBelow(path.resolve(folder));
  for (const point of points) await unmount(point);
  return points;
}

/** Lazily where a dying virtiofsd still holds a file open: the mount is gone for everyone else at once. */
async function unmount(target: string): Promise<void> {
  await mountTool(['umount', '--', target]).catch(() => mountTool(['umount', '--lazy', '--', target]));
}

async function mountTool([program, ...args]: [string, ...string[]]): Promise<void> {
  const result = await execa(program, args, { reject: false, timeout: mountTimeoutMs, stdin: 'ignore' });
  if (!result.failed) return;
  const words = result.stderr || (result.originalMessage ?? 'failed');
  throw new DormouseError('internal', `${program} ${args.join(' ')}: ${words}`, { details: { stderr: words } });
}
