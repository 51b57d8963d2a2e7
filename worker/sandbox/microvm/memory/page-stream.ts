/**
 * The memory part of a snapshot: runs of 4 KiB pages, zstd around all of it.
 *
 *   "DMPAGES1" or "DMPAGES2"  u64 memory size
 *   { u32 first page, u32 pages (1..256), pages × 4096 bytes
 *   | u32 first page, u32 pages (1..256) | 0x80000000, pages × 128 bytes of mask, u32 per bit set in the mask }*
 *   u32 0xffffffff, u32 number of pages in all
 *
 * Little endian. Runs ascend and do not overlap, so a reader can check each one before it writes anything. Only
 * "DMPAGES2" knows the second kind, whose pages are those that they are laid over but for the words of 4 bytes that the
 * mask names (bit 0 of byte 0 is the first word).
 */
import { DormouseError } from '../../../../shared/errors/dormouse-error.ts';

export const pageSizeBytes = 4096;
export const wordBytes = 4;
export const maskBytesPerPage = pageSizeBytes / wordBytes / 8;
/** A run of 1 MiB bounds what a reader has to hold. */
export const maxRunPages = 256;
const plainMagic = Buffer.from('DMPAGES1', 'latin1');
const wordsMagic = Buffer.from('DMPAGES2', 'latin1');
const headerBytes = 16;
const runHeaderBytes = 8;
const endMark = 0xffffffff;
const wordsBit = 0x80000000;

export interface WholePages {
  readonly kind: 'whole';
  readonly firstPage: number;
  readonly pages: number;
  readonly bytes: Buffer;
}

export interface ChangedWords {
  readonly kind: 'words';
  readonly firstPage: number;
  readonly pages: number;
  /** A bit per word of these pages. */
  readonly mask: Buffer;
  /** What those words hold now, in order. */
  readonly words: Buffer;
}

export type PageRun = WholePages | ChangedWords;

/** Without a base there is nothing to be laid over, and the stream is one that every reader knows. */
export function encodeHeader(memorySizeBytes: number, hasBase: boolean): Buffer {
  const header = Buffer.alloc(headerBytes);
  (hasBase ? wordsMagic : plainMagic).copy(header);
  header.writeBigUInt64LE(BigInt(memorySizeBytes), 8);
  return header;
}

export const encodeRun = (run: PageRun): Buffer =>
  run.kind === 'whole'
    ? Buffer.concat([encodeRunHeader(run.firstPage, run.pages), run.bytes])
    : Buffer.concat([encodeRunHeader(run.firstPage, run.pages + wordsBit), run.mask, run.words]);

export function encodeRunHeader(firstPage: number, pages: number): Buffer {
  const header = Buffer.alloc(runHeaderBytes);
  header.writeUInt32LE(firstPage, 0);
  header.writeUInt32LE(pages, 4);
  return header;
}

export const encodeEnd = (pageCount: number): Buffer => encodeRunHeader(endMark, pageCount);

const corrupt = (words: string): DormouseError =>
  new DormouseError('snapshot-corrupt', `the memory part of the snapshot is damaged: ${words}`);

/**
 * Decodes a stream that lies in memory as a whole; `lay` is called for each run in turn. Throws `snapshot-corrupt` at the
 * first thing that does not fit.
 */
export function decodeWhole(stream: Buffer, memorySizeBytes: number, lay: (run: PageRun) => void): void {
  const decoder = decode(memorySizeBytes);
  let at = 0;
  let taken: Buffer | undefined;
  for (;;) {
    const { value, done } = decoder.next(taken);
    if (done === true) return;
    if (typeof value !== 'number') {
      lay(value);
      continue;
    }
    taken = at + value > stream.length ? undefined : stream.subarray(at, at + value);
    at += value;
  }
}

/** The same of a stream as it arrives. */
export async function decodeArriving(
  source: AsyncIterable<Buffer>,
  memorySizeBytes: number,
  lay: (run: PageRun) => void,
): Promise<void> {
  const decoder = decode(memorySizeBytes);
  const take = createReader(source);
  let taken: Buffer | undefined;
  for (;;) {
    const { value, done } = decoder.next(taken);
    if (done === true) return;
    if (typeof value === 'number') taken = await take(value);
    else lay(value);
  }
}

/** Asks for a number of bytes and is given them, or nothing when the stream has fewer left; in between it yields runs. */
function* decode(memorySizeBytes: number): Generator<number | PageRun, void, Buffer | undefined> {
  const header = whole(yield headerBytes);
  const magic = header.subarray(0, 8);
  const hasBase = magic.equals(wordsMagic);
  if (!hasBase && !magic.equals(plainMagic)) throw corrupt('it does not start with the format mark');
  const size = Number(header.readBigUInt64LE(8));
  if (size !== memorySizeBytes) throw corrupt(`it is for ${size} bytes of memory, not ${memorySizeBytes}`);
  let nextPage = 0;
  let pageCount = 0;
  for (;;) {
    const runHeader = whole(yield runHeaderBytes);
    const firstPage = runHeader.readUInt32LE(0);
    const count = runHeader.readUInt32LE(4);
    if (firstPage === endMark) {
      if (count !== pageCount) throw corrupt(`it ends after ${pageCount} of ${count} pages`);
      if ((yield 1) !== undefined) throw corrupt('it goes on after its end');
      return;
    }
    const isWords = hasBase && count >= wordsBit;
    const pages = isWords ? count - wordsBit : count;
    if (pages === 0 || pages > maxRunPages || firstPage < nextPage) throw corrupt('a run of pages is out of place');
    if ((firstPage + pages) * pageSizeBytes > memorySizeBytes) throw corrupt('a run lies beyond the memory');
    nextPage = firstPage + pages;
    pageCount += pages;
    if (isWords) {
      const mask = whole(yield pages * maskBytesPerPage);
      yield { kind: 'words', firstPage, pages, mask, words: whole(yield countBits(mask) * wordBytes) };
    } else {
      yield { kind: 'whole', firstPage, pages, bytes: whole(yield pages * pageSizeBytes) };
    }
  }
}

function whole(bytes: Buffer | undefined): Buffer {
  if (bytes === undefined) throw corrupt('it is cut short');
  return bytes;
}

function countBits(mask: Buffer): number {
  let count = 0;
  for (let byte of mask) for (; byte !== 0; byte &= byte - 1) count++;
  return count;
}

function createReader(source: AsyncIterable<Buffer>): (bytes: number) => Promise<Buffer | undefined> {
  const iterator = source[Symbol.asyncIterator]();
  let pending: Buffer[] = [];
  let available = 0;
  return async (bytes) => {
    while (available < bytes) {
      const next = await iterator.next();
      if (next.done === true) return undefined;
      pending.push(next.value);
      available += next.value.length;
    }
    const joined = pending.length === 1 && pending[0] !== undefined ? pending[0] : Buffer.concat(pending);
    pending = [joined.subarray(bytes)];
    available -= bytes;
    return joined.subarray(0, bytes);
  };
}
