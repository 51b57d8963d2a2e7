/** A set of a guest's pages, as a bitmap: small (8 KiB for 256 MiB of memory) and cheap to hand to a thread. */
import { pageSizeBytes } from './page-stream.ts';

export interface PageSet {
  readonly pageCount: number;
  readonly bits: Uint8Array;
}

export function emptyPageSet(memorySizeBytes: number): PageSet {
  const pageCount = memorySizeBytes / pageSizeBytes;
  return { pageCount, bits: new Uint8Array(Math.ceil(pageCount / 8)) };
}

export const hasPage = ({ bits }: PageSet, page: number): boolean => ((bits[page >> 3] ?? 0) & (1 << (page & 7))) !== 0;

export function addPages({ pageCount, bits }: PageSet, first: number, count = 1): void {
  const end = Math.min(pageCount, first + count);
  for (let page = first; page < end; page++) bits[page >> 3] = (bits[page >> 3] ?? 0) | (1 << (page & 7));
}

export function hasAnyPage(set: PageSet, first: number, count: number): boolean {
  for (let page = first; page < first + count; page++) if (hasPage(set, page)) return true;
  return false;
}

/** Of two sets of the same memory. */
export function unionOf(one: PageSet, other: PageSet): PageSet {
  return { pageCount: one.pageCount, bits: one.bits.map((byte, index) => byte | (other.bits[index] ?? 0)) };
}

export function countPages({ pageCount, bits }: PageSet): number {
  let count = 0;
  for (let page = 0; page < pageCount; page++) if (((bits[page >> 3] ?? 0) & (1 << (page & 7))) !== 0) count++;
  return count;
}

export interface PageRange {
  readonly first: number;
  readonly count: number;
}

/** The pages in ascending order, neighbours together, at most `maxCount` at once. Without a set: all of the memory. */
export function* rangesOf(set: PageSet | undefined, memorySizeBytes: number, maxCount: number): Generator<PageRange> {
  const pageCount = memorySizeBytes / pageSizeBytes;
  for (let first = 0; first < pageCount; first++) {
    if (set !== undefined && !hasPage(set, first)) continue;
    let count = 1;
    while (count < maxCount && first + count < pageCount && (set === undefined || hasPage(set, first + count))) count++;
    yield { first, count };
    first += count - 1;
  }
}
