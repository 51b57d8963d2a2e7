/**
 * Which pages of a guest's memory file differ from a base (the golden's memory, or nothing: then every page that is not
 * zero), among candidates or among all. Of a page of which little changed only the changed words are carried.
 * Pages that earlier parts carry are not the base's where this part will be laid: each of them is carried, whole, whatever it
 * holds now.
 *
 * It reads and compares without giving way: meant for a thread (memory-thread.ts).
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { hasAnyPage, hasPage, rangesOf, type PageSet } from './page-set.ts';
import { maskBytesPerPage, maxRunPages, pageSizeBytes, wordBytes, type PageRun } from './page-stream.ts';

const wordsPerPage = pageSizeBytes / wordBytes;
/** A page of which more changed is carried whole: what replaces other content has a regularity of its own, lost in pieces. */
const maxChangedWords = wordsPerPage / 4;

/** A run, and what its pages hold now. */
export type ChangedRun = PageRun & { readonly content: Buffer };

/** Yields the changed runs in ascending order. A run's bytes are only valid until the next one is asked for. */
export function* changedPages(
  memoryPath: string,
  basePath: string | undefined,
  sizeBytes: number,
  candidates?: PageSet,
  below?: PageSet,
): Generator<ChangedRun> {
  const memory = openSync(memoryPath, 'r');
  const base = basePath === undefined ? undefined : openSync(basePath, 'r');
  const now = createWindow();
  const before = createWindow(); // zeros as long as there is no base
  const found = createFindings();
  try {
    for (const { first, count } of rangesOf(candidates, sizeBytes, maxRunPages)) {
      const length = count * pageSizeBytes;
      readFully(memory, now.bytes, length, first * pageSizeBytes);
      if (base !== undefined) readFully(base, before.bytes, length, first * pageSizeBytes);
      const hasBelow = below !== undefined && hasAnyPage(below, first, count);
      if (!hasBelow && now.bytes.compare(before.bytes, 0, length, 0, length) === 0) continue;
      lookAt(found, now, before, {
        count,
        hasBase: base !== undefined,
        isBelow: (page) => hasBelow && hasPage(below, first + page),
      });
      yield* runsIn(found, now, first, count);
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

/** What became of each page of a window. */
interface Findings {
  readonly kinds: ('same' | PageRun['kind'])[];
  /** A bit per word. */
  readonly mask: Buffer;
  /** Of all pages with changed words, one after the other. */
  readonly changed: Window;
  /** Where in `changed` those of each page end. */
  readonly ends: number[];
}

const createFindings = (): Findings => ({
  kinds: [],
  mask: Buffer.alloc(maxRunPages * maskBytesPerPage),
  changed: createWindow(),
  ends: [],
});

function* runsIn(found: Findings, now: Window, firstPage: number, count: number): Generator<ChangedRun> {
  for (let start = 0, end = 1; start < count; start = end++) {
    const kind = found.kinds[start] ?? 'same';
    while (end < count && found.kinds[end] === kind) end++;
    if (kind === 'same') continue;
    const content = now.bytes.subarray(start * pageSizeBytes, end * pageSizeBytes);
    const run = { firstPage: firstPage + start, pages: end - start, content };
    if (kind === 'whole') {
      yield { ...run, kind, bytes: content };
    } else {
      const mask = found.mask.subarray(start * maskBytesPerPage, end * maskBytesPerPage);
      const [from, to] = [found.ends[start - 1] ?? 0, found.ends[end - 1] ?? 0];
      yield { ...run, kind, mask, words: found.changed.bytes.subarray(from * wordBytes, to * wordBytes) };
    }
  }
}

interface Comparison {
  readonly count: number;
  readonly hasBase: boolean;
  /** Whether an earlier part carries this page of the window. */
  readonly isBelow: (page: number) => boolean;
}

function lookAt(found: Findings, now: Window, before: Window, { count, hasBase, isBelow }: Comparison): void {
  let words = 0;
  for (let page = 0; page < count; page++) {
    const at = page * pageSizeBytes;
    const mustBeWhole = !hasBase || isBelow(page);
    const isSame =
      !isBelow(page) && now.bytes.compare(before.bytes, at, at + pageSizeBytes, at, at + pageSizeBytes) === 0;
    const changed = isSame || mustBeWhole ? undefined : addChangedWords(found, now, before, page, words);
    found.kinds[page] = isSame ? 'same' : changed === undefined ? 'whole' : 'words';
    words += changed ?? 0;
    found.ends[page] = words;
  }
}

/** How many there are; undefined when they are too many to be carried as such. */
function addChangedWords(
  { mask, changed }: Findings,
  now: Window,
  before: Window,
  page: number,
  position: number,
): number | undefined {
  const maskAt = page * maskBytesPerPage;
  mask.fill(0, maskAt, maskAt + maskBytesPerPage);
  const first = page * wordsPerPage;
  let count = 0;
  for (let word = 0; word < wordsPerPage; word++) {
    const value = now.words[first + word] ?? 0;
    if (value === before.words[first + word]) continue;
    if (count === maxChangedWords) return undefined;
    changed.words[position + count++] = value;
    const byte = maskAt + (word >> 3);
    mask[byte] = (mask[byte] ?? 0) | (1 << (word & 7));
  }
  return count;
}

function readFully(file: number, into: Buffer, length: number, offset: number): void {
  for (let done = 0; done < length;) {
    const bytesRead = readSync(file, into, done, length - done, offset + done);
    if (bytesRead === 0) throw new Error(`the memory file ends at ${offset + done}`);
    done += bytesRead;
  }
}
