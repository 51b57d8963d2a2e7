/**
 * Which pages of a guest's memory file differ from a base (the golden's memory, or nothing: then every page that is not
 * zero), among candidates or among all. A page of which little changed is carried as its difference (xor) from the base's,
 * which is mostly zeros and compresses to next to nothing. Pages that earlier parts carry are not the base's where this
 * part will be laid: each of them is carried, whole, whatever it holds now.
 *
 * It reads and compares without giving way: meant for a thread (memory-thread.ts).
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { hasAnyPage, hasPage, rangesOf, type PageSet } from './page-set.ts';
import { maxRunPages, pageSizeBytes, type PageRun } from './page-stream.ts';

const wordsPerPage = pageSizeBytes / Int32Array.BYTES_PER_ELEMENT;
/**
 * A difference of more words than this is no smaller than the page itself: what replaces other content shares nothing
 * with it, and its own regularity is lost in the difference. A quarter gave the smallest parts of the bundled templates.
 */
const maxDifferentWords = wordsPerPage / 4;

/** Yields the changed runs in ascending order. A run's bytes are only valid until the next one is asked for. */
export function* changedPages(
  memoryPath: string,
  basePath: string | undefined,
  sizeBytes: number,
  candidates?: PageSet,
  below?: PageSet,
): Generator<PageRun> {
  const memory = openSync(memoryPath, 'r');
  const base = basePath === undefined ? undefined : openSync(basePath, 'r');
  const now = createWindow();
  const before = createWindow(); // zeros as long as there is no base
  try {
    for (const { first, count } of rangesOf(candidates, sizeBytes, maxRunPages)) {
      const length = count * pageSizeBytes;
      readFully(memory, now.bytes, length, first * pageSizeBytes);
      if (base !== undefined) readFully(base, before.bytes, length, first * pageSizeBytes);
      const hasBelow = below !== undefined && hasAnyPage(below, first, count);
      if (!hasBelow && now.bytes.compare(before.bytes, 0, length, 0, length) === 0) continue;
      yield* runsIn(now, before, first, count, { hasBase: base !== undefined, below });
    }
  } finally {
    closeSync(memory);
    if (base !== undefined) closeSync(base);
  }
}

/** The same memory, as bytes and as words. */
interface Window {
  readonly bytes: Buffer;
  readonly words: Int32Array;
}

function createWindow(): Window {
  const memory = new ArrayBuffer(maxRunPages * pageSizeBytes);
  return { bytes: Buffer.from(memory), words: new Int32Array(memory) };
}

type PageKind = 'same' | 'whole' | 'difference';

interface Comparison {
  readonly hasBase: boolean;
  readonly below: PageSet | undefined;
}

function* runsIn(
  now: Window,
  before: Window,
  firstPage: number,
  count: number,
  { hasBase, below }: Comparison,
): Generator<PageRun> {
  let start = 0;
  let kind: PageKind = 'same';
  for (let page = 0; page <= count; page++) {
    const isBelow = page < count && below !== undefined && hasPage(below, firstPage + page);
    const next = page === count ? 'same' : isBelow ? 'whole' : kindOf(now, before, page, hasBase);
    if (next === kind) continue;
    if (kind !== 'same') {
      const bytes = now.bytes.subarray(start * pageSizeBytes, page * pageSizeBytes);
      yield { firstPage: firstPage + start, bytes, isDifference: kind === 'difference' };
    }
    start = page;
    kind = next;
  }
}

/** A page that becomes a difference does so in place. */
function kindOf(now: Window, before: Window, page: number, hasBase: boolean): PageKind {
  const at = page * pageSizeBytes;
  if (now.bytes.compare(before.bytes, at, at + pageSizeBytes, at, at + pageSizeBytes) === 0) return 'same';
  if (!hasBase || differentWords(now.words, before.words, page * wordsPerPage) > maxDifferentWords) return 'whole';
  for (let word = page * wordsPerPage, end = word + wordsPerPage; word < end; word++) {
    now.words[word] = (now.words[word] ?? 0) ^ (before.words[word] ?? 0);
  }
  return 'difference';
}

function differentWords(now: Int32Array, before: Int32Array, start: number): number {
  let count = 0;
  for (let word = start, end = start + wordsPerPage; word < end; word++) if (now[word] !== before[word]) count++;
  return count;
}

function readFully(file: number, into: Buffer, length: number, offset: number): void {
  for (let done = 0; done < length;) {
    const bytesRead = readSync(file, into, done, length - done, offset + done);
    if (bytesRead === 0) throw new Error(`the memory file ends at ${offset + done}`);
    done += bytesRead;
  }
}
