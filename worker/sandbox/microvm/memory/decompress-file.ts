/**
 * Unpacks a part that is no memory, the devices' state, into a file. It is small: the process's own pool of threads does it
 * while the memory thread lays pages, and no event loop waits.
 *
 * Failure: `snapshot-corrupt` for what cannot be unpacked, or is far too large.
 */
import { createWriteStream } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { DormouseError } from '../../../../shared/errors/dormouse-error.ts';
import { decompressed } from './memory-part.ts';

/** Device states are some hundred kilobytes; a forged part of a few kilobytes could unpack to terabytes. */
const maxUnpackedBytes = 256 * 1024 * 1024;

/** Up to here it is done in one piece: a stream costs more than the work itself, and a wake waits. */
const maxPieceBytes = 256 * 1024;
const maxUnpackedPieceBytes = 4 * 1024 * 1024;
/** All of a usual state in one step of the thread pool. */
const unpackedChunkBytes = 1024 * 1024;

const unpack = promisify(zstdDecompress);

export async function decompressFile(
  partPath: string,
  target: string,
  signal: AbortSignal,
  maxBytes = maxUnpackedBytes,
): Promise<void> {
  const piece = await smallPart(partPath, Math.min(maxBytes, maxUnpackedPieceBytes));
  signal.throwIfAborted();
  if (piece === undefined) await pipeline(bounded(partPath, maxBytes, signal), createWriteStream(target), { signal });
  else await writeFile(target, piece);
}

/** Undefined when the part is too large, or is none that can be unpacked at once: then the stream says why. */
async function smallPart(partPath: string, maxOutputLength: number): Promise<Buffer | undefined> {
  const { size } = await stat(partPath);
  if (size > maxPieceBytes) return undefined;
  const packed = await readFile(partPath);
  return await unpack(packed, { maxOutputLength, chunkSize: unpackedChunkBytes }).catch(() => undefined);
}

async function* bounded(partPath: string, maxBytes: number, signal: AbortSignal): AsyncGenerator<Buffer> {
  let sizeBytes = 0;
  for await (const chunk of decompressed(partPath, signal)) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) {
      throw new DormouseError('snapshot-corrupt', `a part of the snapshot unpacks to more than ${maxBytes} bytes`);
    }
    yield chunk;
  }
}
