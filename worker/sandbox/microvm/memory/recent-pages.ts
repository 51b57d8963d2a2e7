/**
 * The pages of the parts that this thread wrote last, as whole pages, by the sha256 that each part is named by on the disk:
 * an actor that wakes where it slept need not wait for its part to be unpacked, decoded and put together with the base's
 * pages, which takes as long as all else that a node does for its memory. Bounded, and only ever a copy.
 */
import { pageSizeBytes, type WholePages } from './page-stream.ts';

/** Some five small Node.js programs, or fifteen small compiled ones. */
const maxBytes = 32 * 1024 * 1024;
const maxPartBytes = maxBytes / 4;

/** The oldest first. */
const kept = new Map<string, readonly WholePages[]>();
let bytes = 0;

export interface PageCollector {
  /** Copies the content. */
  add(firstPage: number, content: Buffer): void;
  /** Keeps what was added, if it was not too much. */
  keepAs(sha256: string): void;
}

export function collectPages(): PageCollector {
  let runs: WholePages[] = [];
  let size = 0;
  return {
    add(firstPage, content) {
      size += content.length;
      if (size > maxPartBytes) runs = [];
      else runs.push({ kind: 'whole', firstPage, pages: content.length / pageSizeBytes, bytes: Buffer.from(content) });
    },
    keepAs(sha256) {
      takePages(sha256);
      if (size > maxPartBytes) return;
      kept.set(sha256, runs);
      bytes += size;
      for (const oldest of kept.keys()) {
        if (bytes <= maxBytes) return;
        takePages(oldest);
      }
    },
  };
}

/** In ascending order; the caller's from here on: an actor wakes from a part once. */
export function takePages(sha256: string): readonly WholePages[] | undefined {
  const runs = kept.get(sha256);
  if (runs === undefined) return undefined;
  kept.delete(sha256);
  bytes -= runs.reduce((sum, run) => sum + run.bytes.length, 0);
  return runs;
}
