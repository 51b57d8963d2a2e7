/**
 * What a VM's memory file may hold that its golden's does not: the pages laid over at the restore, and those that the
 * VM's processes touched since. The daemon may be told to map the memory anew whenever the VM goes on after a pause, and its
 * page table then begins anew, so page tables are read before that as well, and what they said is kept.
 *
 * Whenever anything is in doubt all of the memory is compared, and no page is missed.
 */
import { applyPartInThread, touchedInThread, watchInThread, writePartInThread } from './memory-thread.ts';
import type { MemoryPart } from './memory-part.ts';
import { emptyPageSet, unionOf, type PageSet } from './page-set.ts';
import type { TouchWatch } from './touched-pages.ts';

/** What the file held before the VM's processes wrote to it: the base's pages, with `laidOver` on top of them. */
export interface MemoryOrigin {
  readonly basePath: string;
  readonly laidOver: PageSet;
}

export interface GuestMemory {
  /** The VM has begun to run, or goes on. */
  running(signal: AbortSignal): void;
  /** The VM stands still and is about to go on. */
  beforeThaw(signal: AbortSignal): Promise<void>;
  /** The VM stands still, so its devices have written what they had to. */
  capture(target: string, basePath: string | undefined, signal: AbortSignal): Promise<MemoryPart>;
}

/** Without an origin, as after a boot, a capture compares everything. */
export function guestMemory(watch: TouchWatch, origin: MemoryOrigin | undefined): GuestMemory {
  const { memoryPath, memorySizeBytes } = watch;
  let known = origin?.laidOver;
  let watched: Promise<unknown> = Promise.resolve();
  const settle = async (signal: AbortSignal): Promise<void> => {
    await watched;
    if (known === undefined) return;
    const touched = await touchedInThread(watch, signal);
    known = touched && unionOf(known, touched);
  };
  return {
    running(signal) {
      // Nobody waits for it. Should it fail, there is no token, and the next capture compares everything.
      if (known !== undefined) watched = watchInThread(watch, signal).catch(() => undefined);
    },
    beforeThaw: settle,
    async capture(target, basePath, signal) {
      await settle(signal);
      const candidates = basePath === origin?.basePath ? known : undefined;
      return await writePartInThread({ memoryPath, memorySizeBytes, basePath, candidates }, target, signal);
    },
  };
}

/** Makes the origin: lays the actor's own part, if there is one, over a file that holds the base's memory. */
export async function layOver(
  basePath: string | undefined,
  partPath: string | undefined,
  { memoryPath, memorySizeBytes }: Pick<TouchWatch, 'memoryPath' | 'memorySizeBytes'>,
  signal: AbortSignal,
): Promise<MemoryOrigin | undefined> {
  const laidOver =
    partPath === undefined
      ? emptyPageSet(memorySizeBytes)
      : await applyPartInThread(partPath, memoryPath, memorySizeBytes, signal);
  return basePath === undefined ? undefined : { basePath, laidOver };
}
