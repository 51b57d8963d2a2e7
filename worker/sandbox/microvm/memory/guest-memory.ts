/**
 * What a VM's memory file may hold that its golden's does not: the pages laid over at the restore, and those that the
 * VM's processes touched since. The daemon may be told to map the memory anew whenever the VM goes on after a pause, and its
 * page table then begins anew, so page tables are read before that as well, and what they said is kept.
 *
 * A capture carries both, or, where that is much less and allowed, only what was touched: then it lies over the very parts
 * that were laid over at the restore.
 *
 * Whenever anything is in doubt all of the memory is compared, and no page is missed.
 */
import { writePartInProcess } from './capture-process.ts';
import { applyPartsInThread, touchedInThread, watchInThread, writePartInThread } from './memory-thread.ts';
import type { MemoryPart, MemorySource } from './memory-part.ts';
import { countPages, emptyPageSet, unionOf, type PageSet } from './page-set.ts';
import { pageSizeBytes } from './page-stream.ts';
import type { TouchWatch } from './touched-pages.ts';

/** What the file held before the VM's processes wrote to it: the base's pages, with `laidOver` on top of them. */
export interface MemoryOrigin {
  readonly basePath: string;
  readonly laidOver: PageSet;
}

export type GuestMemoryPart = MemoryPart & { readonly isOnTop: boolean };

export interface GuestMemory {
  /** The VM has begun to run, or goes on. */
  running(signal: AbortSignal): void;
  /** The VM stands still and is about to go on. */
  beforeThaw(signal: AbortSignal): Promise<void>;
  /** The VM stands still, so its devices have written what they had to. */
  capture(
    target: string,
    basePath: string | undefined,
    mayLieOnTop: boolean,
    signal: AbortSignal,
  ): Promise<GuestMemoryPart>;
}

/** Without an origin, as after a boot, a capture compares everything. */
export function guestMemory(watch: TouchWatch, origin: MemoryOrigin | undefined): GuestMemory {
  const { memoryPath, memorySizeBytes } = watch;
  let touched = origin && emptyPageSet(memorySizeBytes);
  let watched: Promise<unknown> = Promise.resolve();
  const settle = async (signal: AbortSignal): Promise<void> => {
    await watched;
    if (touched === undefined) return;
    const found = await touchedInThread(watch, signal);
    touched = found && unionOf(touched, found);
  };
  return {
    running(signal) {
      // Nobody waits for it. Should it fail, there is no token, and the next capture compares everything.
      if (touched !== undefined) watched = watchInThread(watch, signal).catch(() => undefined);
    },
    beforeThaw: settle,
    async capture(target, basePath, mayLieOnTop, signal) {
      await settle(signal);
      const memory = { memoryPath, memorySizeBytes, basePath };
      const isKnown = basePath !== undefined && basePath === origin?.basePath;
      const pages = isKnown && touched !== undefined ? pagesToCarry(origin.laidOver, touched, mayLieOnTop) : undefined;
      const part = await writePart({ ...memory, ...pages }, target, signal);
      return { ...part, isOnTop: pages?.below !== undefined };
    },
  };
}

/** 128 MiB: about a second of work, beside which the start of a process is little. Less is done at once, with everybody's priority. */
const leastPagesOfLarge = 32_768;
/** A page that turns out to be the golden's is only compared. */
const costOfAnyPage = 0.25;

/** A large actor's pages behind everybody else's work, a small one's in the thread that is warm. */
function writePart(source: MemorySource, target: string, signal: AbortSignal): Promise<MemoryPart> {
  const { candidates, memorySizeBytes } = source;
  const pages = candidates ? countPages(candidates) : (memorySizeBytes / pageSizeBytes) * costOfAnyPage;
  return pages < leastPagesOfLarge
    ? writePartInThread(source, target, signal)
    : writePartInProcess(source, target, signal);
}

/** 4 MiB: below it a whole part is small, and one part is quicker to restore than two. */
const leastPagesBelow = 1024;

export interface PagesToCarry {
  readonly candidates: PageSet;
  /** Present when the part lies over those that carry these. */
  readonly below?: PageSet;
}

/**
 * On top of what was laid over only if that saves at least half of the pages: chains cost a wake their parts, and shorter
 * ones the store all that they carry twice.
 */
export function pagesToCarry(laidOver: PageSet, touched: PageSet, mayLieOnTop: boolean): PagesToCarry {
  const all = unionOf(laidOver, touched);
  const saves = countPages(laidOver) >= leastPagesBelow && countPages(touched) * 2 <= countPages(all);
  return mayLieOnTop && saves ? { candidates: touched, below: laidOver } : { candidates: all };
}

/** Makes the origin: lays the actor's own parts, if there are any, over a file that holds the base's memory. */
export async function layOver(
  basePath: string | undefined,
  parts: readonly string[],
  { memoryPath, memorySizeBytes }: Pick<TouchWatch, 'memoryPath' | 'memorySizeBytes'>,
  signal: AbortSignal,
): Promise<MemoryOrigin | undefined> {
  const laidOver =
    parts.length === 0
      ? emptyPageSet(memorySizeBytes)
      : await applyPartsInThread(parts, memoryPath, memorySizeBytes, signal);
  return basePath === undefined ? undefined : { basePath, laidOver };
}
