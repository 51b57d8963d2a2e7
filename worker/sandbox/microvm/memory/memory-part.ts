/** Writes and reads the memory part as a file: page stream, zstd, digest. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { PassThrough, Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { constants, createZstdCompress, createZstdDecompress, zstdDecompress, type ZstdOptions } from 'node:zlib';
import { DormouseError } from '../../../../shared/errors/dormouse-error.ts';
import type { CapturedPart } from '../../sandbox.ts';
import { changedPages } from './changed-pages.ts';
import { decodePages, encodeEnd, encodeHeader, encodeRunHeader, pageSizeBytes } from './page-stream.ts';

/** Level 1: memory pages gain little from more, and the actor waits for it. */
const compression = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

export async function writeMemoryPart(
  memoryPath: string,
  basePath: string | undefined,
  memorySizeBytes: number,
  target: string,
  signal: AbortSignal,
): Promise<CapturedPart & { pageCount: number }> {
  let pageCount = 0;
  async function* encoded(): AsyncGenerator<Buffer> {
    yield encodeHeader(memorySizeBytes);
    for await (const run of changedPages(memoryPath, basePath, memorySizeBytes)) {
      const pages = run.bytes.length / pageSizeBytes;
      pageCount += pages;
      // Copied, because the run's bytes are overwritten by the next chunk while zstd still holds these.
      yield Buffer.concat([encodeRunHeader(run.firstPage, pages), run.bytes]);
    }
    yield encodeEnd(pageCount);
  }
  const part = await writeCompressed(Readable.from(encoded()), target, signal);
  return { ...part, pageCount };
}

/** Compresses a stream into a file and tells what was written. */
export async function writeCompressed(source: Readable, target: string, signal: AbortSignal): Promise<CapturedPart> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const digest = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      done(null, chunk);
    },
  });
  await pipeline(source, createZstdCompress(compression), digest, createWriteStream(target), { signal });
  return { path: target, sizeBytes, sha256: hash.digest('hex') };
}

/** Lays the part's pages over a memory file of the right size. */
export async function applyMemoryPart(
  partPath: string,
  memoryPath: string,
  memorySizeBytes: number,
  signal: AbortSignal,
): Promise<void> {
  await using memory = await open(memoryPath, 'r+');
  for await (const run of decodePages(decompressed(partPath, signal), memorySizeBytes)) {
    await memory.write(run.bytes, 0, run.bytes.length, run.firstPage * pageSizeBytes);
  }
}

/** Device states are some hundred kilobytes; a forged part of a few kilobytes could unpack to terabytes. */
const maxUnpackedBytes = 256 * 1024 * 1024;

export async function decompressFile(
  partPath: string,
  target: string,
  signal: AbortSignal,
  maxBytes = maxUnpackedBytes,
): Promise<void> {
  async function* bounded(): AsyncGenerator<Buffer> {
    let sizeBytes = 0;
    for await (const chunk of decompressed(partPath, signal)) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) {
        throw new DormouseError('snapshot-corrupt', `a part of the snapshot unpacks to more than ${maxBytes} bytes`);
      }
      yield chunk;
    }
  }
  await pipeline(bounded(), createWriteStream(target), { signal });
}

/** Up to here a part is read and unpacked in one piece: a stream costs more than the work itself, and a wake waits. */
const maxPieceBytes = 1024 * 1024;
const maxUnpackedPieceBytes = 16 * 1024 * 1024;
const unpackPiece = promisify<Buffer, ZstdOptions, Buffer>(zstdDecompress);

/** Undefined when the part is too large, or is none that can be unpacked at once: then the stream below says why. */
async function smallPart(partPath: string): Promise<Buffer | undefined> {
  const { size } = await stat(partPath);
  if (size > maxPieceBytes) return undefined;
  return await unpackPiece(await readFile(partPath), { maxOutputLength: maxUnpackedPieceBytes }).catch(() => undefined);
}

async function* decompressed(partPath: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  signal.throwIfAborted();
  const piece = await smallPart(partPath);
  if (piece !== undefined) {
    yield piece;
    return;
  }
  const output = new PassThrough();
  const work = pipeline(createReadStream(partPath), createZstdDecompress(), output, { signal });
  work.catch(() => undefined); // the reader below sees the same failure
  try {
    for await (const chunk of output) yield chunk as Buffer;
    await work;
  } catch (cause) {
    if (cause instanceof DormouseError || signal.aborted) throw cause;
    throw new DormouseError('snapshot-corrupt', 'a part of the snapshot cannot be decompressed', { cause });
  }
}
