/**
 * The zygote that a node used last, unpacked, so that the next start from nothing copies pages and neither checks nor
 * unpacks them again:
 *
 *   a start ──► here, and its files are still those it came from? ── no ──► found, checked whole, unpacked ──► held
 *
 * One at most is held, some tens of megabytes of the machine's memory; it goes when another size is asked for, when its files
 * are gone or have changed, when no VMM took it, and when the machine runs short. A VM that was made from it has a name of
 * its own for the file (place.ts), so it may go while that VM runs; while the name is being made, `use` holds it.
 *
 * Failures: one that cannot be unpacked is discarded, and counts as none.
 */
import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { removeTree } from '../../../shared/process/remove-tree.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import { applyPartsInThread } from './memory/memory-thread.ts';
import { createMemoryFile } from './microvm.ts';
import type { MachineSize, Zygotes } from './zygotes.ts';

export interface UnpackedZygote {
  /** Named so only while `use` goes on. */
  readonly memoryPath: string;
  readonly devicePath: string;
}

export interface UnpackedZygotes {
  /** Undefined when there is none, without a call of `work`, or when `work` has nothing to give. */
  use<Result>(
    size: MachineSize,
    work: (zygote: UnpackedZygote) => Promise<Result | undefined>,
  ): Promise<Result | undefined>;
  /** It looked whole and could not be restored. */
  discard(size: MachineSize): Promise<void>;
}

export interface UnpackedZygotesOptions {
  readonly zygotes: Zygotes;
  /** On the tmpfs of the guests' memory. */
  readonly folder: string;
  /** The machine has no memory for what only makes starts faster. */
  readonly isShort: () => boolean;
  readonly log: Logger;
}

/** Several starts may wait for one, so no single caller's deadline ends it. */
const unpackLimitMs = 60_000;
/** How soon it makes way when the machine runs short: as often as the pool looks. */
const lookEveryMs = 5000;

interface Held {
  readonly key: string;
  /** What its files looked like when they were read. */
  mark: string;
  readonly folder: string;
  readonly looking: NodeJS.Timeout;
  unpacked: Promise<UnpackedZygote | undefined>;
  users: number;
  isDropped: boolean;
}

export function createUnpackedZygotes(options: UnpackedZygotesOptions): UnpackedZygotes {
  const { zygotes, folder, isShort } = options;
  let held: Held | undefined;
  let counter = 0;

  const removeIfUnused = (entry: Held): void => {
    if (!entry.isDropped || entry.users > 0) return;
    void removeTree(entry.folder, folder).catch(() => undefined); // the folder goes with the worker
  };
  const drop = (entry: Held): void => {
    entry.isDropped = true;
    clearInterval(entry.looking);
    if (held === entry) held = undefined;
    removeIfUnused(entry);
  };
  const begin = (key: string, mark: string, size: MachineSize): Held => {
    const entry: Held = {
      ...{ key, mark, folder: path.join(folder, String(++counter)), users: 0, isDropped: false },
      looking: setInterval(() => isShort() && drop(entry), lookEveryMs).unref(),
      unpacked: Promise.resolve(undefined),
    };
    entry.unpacked = unpack(options, size, entry);
    entry.unpacked.then(
      (found) => found ?? drop(entry),
      () => drop(entry), // who waits for it sees why
    );
    return entry;
  };
  const hold = async (size: MachineSize): Promise<Held> => {
    const key = `${size.memoryMiB}-${size.vcpus}`;
    const mark = await zygotes.mark(size);
    if (held?.key !== key || held.mark !== mark) {
      if (held !== undefined) drop(held);
      held = begin(key, mark, size);
    }
    held.users++;
    return held;
  };
  return {
    async use(size, work) {
      const entry = await hold(size);
      try {
        const zygote = await entry.unpacked;
        return zygote && (await work(zygote));
      } finally {
        entry.users--;
        removeIfUnused(entry);
      }
    },
    async discard(size) {
      if (held !== undefined) drop(held);
      await zygotes.discard(size);
    },
  };
}

async function unpack(
  { zygotes, log }: UnpackedZygotesOptions,
  size: MachineSize,
  entry: Held,
): Promise<UnpackedZygote | undefined> {
  const found = await zygotes.find(size);
  if (found === undefined) return undefined;
  if (entry.mark === '') entry.mark = await zygotes.mark(size); // it has just been fetched
  const { memoryMiB, vcpus } = size;
  const sizeBytes = memoryMiB * 1024 * 1024;
  const unpacked = { memoryPath: path.join(entry.folder, 'memory'), devicePath: path.join(entry.folder, 'device') };
  try {
    await mkdir(entry.folder, { recursive: true, mode: 0o700 });
    await createMemoryFile(unpacked.memoryPath, sizeBytes);
    await applyPartsInThread(found.memoryPaths, unpacked.memoryPath, sizeBytes, AbortSignal.timeout(unpackLimitMs));
    await copyFile(found.devicePath, unpacked.devicePath);
    return unpacked;
  } catch (error) {
    log.warn({ err: error, memoryMiB, vcpus }, 'a zygote could not be unpacked, booting instead');
    await zygotes.discard(size);
    return undefined;
  }
}
