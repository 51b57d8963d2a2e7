/** The node's folders: made at the start, swept of what a killed worker left, and unmounted at the end. */
import { mkdir } from 'node:fs/promises';
import { execa } from 'execa';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { mountsBelow, removeTree } from '../../shared/process/remove-tree.ts';
import type { NodeFolders } from '../config.ts';
import { endLeftovers } from './leftover-processes.ts';

/** Makes everything as if the node had never run: only images and the cache, which are read-only data, are kept. */
export async function prepareFolders(folders: NodeFolders): Promise<void> {
  await clearFolders(folders);
  for (const folder of Object.values(folders) as string[]) await mkdir(folder, { recursive: true, mode: 0o700 });
  // Guest memory belongs to RAM; the limit is only there so that a runaway cannot take all of it.
  // No huge pages: making them takes entries out of page tables, which tell what a guest touched (touched-pages.ts).
  await mount(['-t', 'tmpfs', '-o', 'size=90%,huge=never,mode=0700,nosuid,nodev,noexec', 'dormouse', folders.memory]);
}

/** Ends leftover processes, unmounts everything below the node's folder, deletes what only lived with a worker. */
export async function clearFolders(folders: NodeFolders): Promise<void> {
  await endLeftovers(folders.node);
  for (const point of await mountsBelow(folders.node)) await unmount(point);
  for (const folder of [folders.run, folders.memory, folders.transfer])
    await removeTree(folder, folders.node).catch(ignoreMissingNode);
}

function ignoreMissingNode(error: unknown): void {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return; // a node's first start
  throw error;
}

async function mount(args: readonly string[]): Promise<void> {
  await execa('mount', args).catch(explain(`mount ${args.join(' ')}`));
}

async function unmount(point: string): Promise<void> {
  // Lazy: a process that was killed a moment ago may still be letting go.
  await execa('umount', ['--lazy', '--', point]).catch(explain(`umount ${point}`));
}

const explain =
  (what: string) =>
  (cause: unknown): never => {
    const words =
      cause instanceof Error && 'stderr' in cause && typeof cause.stderr === 'string' ? cause.stderr : String(cause);
    throw new DormouseError('precondition-missing', `${what}: ${words}`, { cause });
  };
