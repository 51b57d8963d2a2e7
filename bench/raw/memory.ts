/**
 * The raw suspend's work on guest memory: which pages differ from the golden's, and putting them back.
 *
 * Candidates are the pages present in QEMU's or virtiofsd's mapping of the memory file, plus those that a restore wrote:
 * nobody else can have changed one. `compareAll` looks at every page instead, to show that none is missed.
 */
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';

const pageBytes = 4096;
/** https://docs.kernel.org/admin-guide/mm/pagemap.html: 8 bytes a page, bit 63 says that it is present. */
const entryBytes = 8;
const presentBit = 0x80;

export interface ChangedPages {
  readonly pages: readonly number[];
  /** Their contents, in the same order. */
  readonly bytes: Buffer;
}

export const noPages: ChangedPages = { pages: [], bytes: Buffer.alloc(0) };

export function changedPages(
  memory: string,
  golden: string,
  sizeBytes: number,
  pids: readonly number[],
  written: readonly number[],
): ChangedPages {
  const candidates = new Uint8Array(sizeBytes / pageBytes);
  for (const pid of pids) markPresent(pid, memory, candidates);
  for (const page of written) candidates[page] = 1;
  return compare(memory, golden, candidates);
}

export const compareAll = (memory: string, golden: string, sizeBytes: number): ChangedPages =>
  compare(memory, golden, new Uint8Array(sizeBytes / pageBytes).fill(1));

export function writePages(memory: string, { pages, bytes }: ChangedPages): void {
  const file = openSync(memory, 'r+');
  try {
    pages.forEach((page, index) => writeSync(file, bytes, index * pageBytes, pageBytes, page * pageBytes));
  } finally {
    closeSync(file);
  }
}

function markPresent(pid: number, memory: string, candidates: Uint8Array): void {
  const pagemap = openSync(`/proc/${pid}/pagemap`, 'r');
  try {
    for (const { address, pages, firstPage } of mappingsOf(pid, memory)) {
      const entries = Buffer.alloc(pages * entryBytes);
      readSync(pagemap, entries, 0, entries.length, (address / pageBytes) * entryBytes);
      for (let page = 0; page < pages; page++) {
        if (((entries[page * entryBytes + 7] ?? 0) & presentBit) !== 0) candidates[firstPage + page] = 1;
      }
    }
  } finally {
    closeSync(pagemap);
  }
}

function mappingsOf(pid: number, memory: string): { address: number; pages: number; firstPage: number }[] {
  return readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith(` ${memory}`))
    .map((line) => {
      const [range = '', , offset = ''] = line.split(' ');
      const [from = 0, to = 0] = range.split('-').map((text) => parseInt(text, 16));
      return { address: from, pages: (to - from) / pageBytes, firstPage: parseInt(offset, 16) / pageBytes };
    });
}

/** Candidates are read in runs: a system call for each page would cost more than the comparison. */
function compare(memory: string, golden: string, candidates: Uint8Array): ChangedPages {
  const [now, before] = [openSync(memory, 'r'), openSync(golden, 'r')];
  const pages: number[] = [];
  const kept: Buffer[] = [];
  try {
    for (const { first, count } of runsOf(candidates)) {
      const [a, b] = [Buffer.allocUnsafe(count * pageBytes), Buffer.allocUnsafe(count * pageBytes)];
      readSync(now, a, 0, a.length, first * pageBytes);
      readSync(before, b, 0, b.length, first * pageBytes);
      if (a.equals(b)) continue;
      for (let index = 0; index < count; index++) {
        const [from, to] = [index * pageBytes, (index + 1) * pageBytes];
        if (a.compare(b, from, to, from, to) === 0) continue;
        pages.push(first + index);
        kept.push(a.subarray(from, to));
      }
    }
  } finally {
    closeSync(now);
    closeSync(before);
  }
  return { pages, bytes: Buffer.concat(kept) };
}

/** Large enough for few calls, small enough to stay in the processor's caches. */
const longestRun = 64;

function* runsOf(candidates: Uint8Array): Generator<{ first: number; count: number }> {
  for (let page = 0; page < candidates.length; page++) {
    if (candidates[page] === 0) continue;
    let count = 1;
    while (count < longestRun && candidates[page + count] === 1) count++;
    yield { first: page, count };
    page += count - 1;
  }
}
