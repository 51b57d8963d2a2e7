/**
 * Unpacks a part that is no memory, the devices' state, into a file. It is a few kilobytes that become some hundred: done on
 * the spot that takes half a millisecond, while the memory thread lays pages; by way of a pool of threads, many times that.
 *
 * Failure: `snapshot-corrupt` for what cannot be unpacked, or is far too large.
 */
import { createWriteStream, readFileSync, statSync, writeFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { zstdDecompressSync } from 'node:zlib';
import { DormouseError } from '../../../../shared/errors/dormouse-error.ts';
import { decompressed } from './memory-part.ts';

/** Device states are some hundred kilobytes; a forged part of a few kilobytes could unpack to terabytes. */
const maxUnpackedBytes = 256 * 1024 * 1024;

/** Up to here it is done on the spot. */
const maxPieceBytes = 64 * 1024;
const maxUnpackedPieceBytes = 1024 * 1024;

export async function decompressFile(
  partPath: string,
  target: string,
  signal: AbortSignal,
  maxBytes = maxUnpackedBytes,
): Promise<void> {
  signal.throwIfAborted();
  const piece = smallPart(partPath, Math.min(maxBytes, maxUnpackedPieceBytes));
  if (piece === undefined) await pipeline(bounded(partPath, maxBytes, signal), createWriteStream(target), { signal });
  else writeFileSync(target, piece);
}

/** Undefined when the part is too large, or is none that can be unpacked at once: then the stream says why. */
function smallPart(partPath: string, maxOutputLength: number): Buffer | undefined {
  if (statSync(partPath).size > maxPieceBytes) return undefined;
  try {
    return zstdDecompressSync(readFileSync(partPath), { maxOutputLength, chunkSize: maxUnpackedPieceBytes });
  } catch {
    return undefined;
  }
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
