/**
 * The memory part of a snapshot: runs of 4 KiB pages, zstd around all of it.
 *
 *   "DMPAGES1" or "DMPAGES2"  u64 memory size
 *   { u32 first page, u32 pages (1..256) and perhaps the difference bit, pages × 4096 bytes }*
 *   u32 0xffffffff, u32 number of pages in all
 *
 * Little endian. Runs ascend and do not overlap, so a reader can check each one before it writes anything. Only
 * "DMPAGES2" knows the difference bit (0x80000000): the run's bytes are the page's own xor those of the page they are laid
 * over.
 */
import { DormouseError } from '../../../../shared/errors/dormouse-error.ts';

export const pageSizeBytes = 4096;
/** A run of 1 MiB bounds what a reader has to hold. */
export const maxRunPages = 256;
const plainMagic = Buffer.from('DMPAGES1', 'latin1');
const differenceMagic = Buffer.from('DMPAGES2', 'latin1');
const headerBytes = 16;
const runHeaderBytes = 8;
const endMark = 0xffffffff;
const differenceBit = 0x80000000;

export interface PageRun {
  readonly firstPage: number;
  readonly bytes: Buffer;
  /** To be laid over the page by xor instead of in its place. */
  readonly isDifference: boolean;
}

/** Without a base there is nothing to differ from, and the stream is one that every reader knows. */
export function encodeHeader(memorySizeBytes: number, hasDifferences: boolean): Buffer {
  const header = Buffer.alloc(headerBytes);
  (hasDifferences ? differenceMagic : plainMagic).copy(header);
  header.writeBigUInt64LE(BigInt(memorySizeBytes), 8);
  return header;
}

export function encodeRunHeader(firstPage: number, pages: number, isDifference = false): Buffer {
  const header = Buffer.alloc(runHeaderBytes);
  header.writeUInt32LE(firstPage, 0);
  header.writeUInt32LE(pages + (isDifference ? differenceBit : 0), 4);
  return header;
}

export const encodeEnd = (pageCount: number): Buffer => encodeRunHeader(endMark, pageCount);

const corrupt = (words: string): DormouseError =>
  new DormouseError('snapshot-corrupt', `the memory part of the snapshot is damaged: ${words}`);

/** Decodes the stream as it arrives. Throws `snapshot-corrupt` at the first thing that does not fit. */
export async function* decodePages(source: AsyncIterable<Buffer>, memorySizeBytes: number): AsyncGenerator<PageRun> {
  const reader = createReader(source);
  const header = await reader.take(headerBytes);
  const magic = header.subarray(0, 8);
  const hasDifferences = magic.equals(differenceMagic);
  if (!hasDifferences && !magic.equals(plainMagic)) throw corrupt('it does not start with the format mark');
  const size = Number(header.readBigUInt64LE(8));
  if (size !== memorySizeBytes) throw corrupt(`it is for ${size} bytes of memory, not ${memorySizeBytes}`);
  let nextPage = 0;
  let pageCount = 0;
  for (;;) {
    const runHeader = await reader.take(runHeaderBytes);
    const firstPage = runHeader.readUInt32LE(0);
    const count = runHeader.readUInt32LE(4);
    if (firstPage === endMark) {
      if (count !== pageCount) throw corrupt(`it ends after ${pageCount} of ${count} pages`);
      if (!(await reader.ended())) throw corrupt('it goes on after its end');
      return;
    }
    const isDifference = hasDifferences && count >= differenceBit;
    const pages = isDifference ? count - differenceBit : count;
    if (pages === 0 || pages > maxRunPages || firstPage < nextPage) throw corrupt('a run of pages is out of place');
    if ((firstPage + pages) * pageSizeBytes > memorySizeBytes) throw corrupt('a run lies beyond the memory');
    nextPage = firstPage + pages;
    pageCount += pages;
    yield { firstPage, bytes: await reader.take(pages * pageSizeBytes), isDifference };
  }
}

function createReader(source: AsyncIterable<Buffer>): {
  take(bytes: number): Promise<Buffer>;
  ended(): Promise<boolean>;
} {
  const iterator = source[Symbol.asyncIterator]();
  let pending: Buffer[] = [];
  let available = 0;
  const pull = async (): Promise<boolean> => {
    const next = await iterator.next();
    if (next.done === true) return false;
    pending.push(next.value);
    available += next.value.length;
    return true;
  };
  return {
    async take(bytes) {
      while (available < bytes) {
        if (!(await pull())) throw corrupt('it is cut short');
      }
      const joined = pending.length === 1 && pending[0] !== undefined ? pending[0] : Buffer.concat(pending);
      pending = [joined.subarray(bytes)];
      available -= bytes;
      return joined.subarray(0, bytes);
    },
    async ended() {
      while (available === 0) if (!(await pull())) return true;
      return false;
    },
  };
}
