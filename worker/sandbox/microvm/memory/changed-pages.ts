/**
 * Which pages of a guest's memory file differ from a base (the golden's memory, or nothing: then every page that is not
 * zero). Compares everything, so no page can be missed; both files lie on a tmpfs.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { maxRunPages, pageSizeBytes, type PageRun } from './page-stream.ts';

/** Read and compared at once: large enough to be quick, small enough not to hold the event loop for long. */
const chunkBytes = 1024 * 1024;
const zeroPage = Buffer.alloc(pageSizeBytes);
const zeroChunk = Buffer.alloc(chunkBytes);

/** Yields the changed runs in ascending order. A run's bytes are only valid until the next one is asked for. */
export async function* changedPages(
  memoryPath: string,
  basePath: string | undefined,
  sizeBytes: number,
): AsyncGenerator<PageRun> {
  await using memory = await open(memoryPath, 'r');
  await using base = basePath === undefined ? undefined : await open(basePath, 'r');
  const now = Buffer.alloc(chunkBytes);
  const before = Buffer.alloc(chunkBytes);
  for (let offset = 0; offset < sizeBytes; offset += chunkBytes) {
    const length = Math.min(chunkBytes, sizeBytes - offset);
    await Promise.all([readFully(memory, now, length, offset), base && readFully(base, before, length, offset)]);
    const reference = base === undefined ? zeroChunk : before;
    if (now.compare(reference, 0, length, 0, length) === 0) continue;
    yield* runsIn(now, base === undefined ? undefined : before, length, offset / pageSizeBytes);
  }
}

function* runsIn(now: Buffer, before: Buffer | undefined, length: number, firstPage: number): Generator<PageRun> {
  let start = -1;
  const pages = length / pageSizeBytes;
  for (let page = 0; page <= pages; page++) {
    const changed = page < pages && differs(now, before, page * pageSizeBytes);
    if (changed && start < 0) start = page;
    if (start >= 0 && (!changed || page - start === maxRunPages)) {
      yield { firstPage: firstPage + start, bytes: now.subarray(start * pageSizeBytes, page * pageSizeBytes) };
      start = changed ? page : -1;
    }
  }
}

function differs(now: Buffer, before: Buffer | undefined, offset: number): boolean {
  const reference = before ?? zeroPage;
  const at = before === undefined ? 0 : offset;
  return now.compare(reference, at, at + pageSizeBytes, offset, offset + pageSizeBytes) !== 0;
}

async function readFully(file: FileHandle, into: Buffer, length: number, offset: number): Promise<void> {
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(into, done, length - done, offset + done);
    if (bytesRead === 0) throw new Error(`the memory file ends at ${offset + done}`);
    done += bytesRead;
  }
}
