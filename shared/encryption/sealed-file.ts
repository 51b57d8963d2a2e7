/**
 * A file (or a few bytes) under AES-256-GCM, in chunks, so that neither side holds more than one of them:
 *
 *   "DMSEAL01"  { ciphertext of 256 KiB (the last: 0 to 256 KiB), 16-byte tag }+
 *
 * Each chunk is sealed on its own. Its nonce is its number and whether it is the last, so chunks that are missing,
 * repeated, swapped or appended do not open; the additional data is the format and the key of the object, so one object
 * does not open in another's place. A data key seals exactly one file, so no nonce is ever used twice.
 *
 * What opens is what was sealed, or the call fails with `snapshot-corrupt` and leaves no file.
 */
import { createCipheriv, createDecipheriv, createHash, generateKeySync, type KeyObject } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { DormouseError } from '../errors/dormouse-error.ts';
import { keyBytes } from './key-ring.ts';

export interface Seal {
  readonly dataKey: KeyObject;
  /** Key of the object that the sealed file becomes. */
  readonly objectKey: string;
}

/** Stands in manifests; another way of sealing gets another name. */
export const sealAlgorithm = 'aes-256-gcm-chunked-1';

const cipher = 'aes-256-gcm';
const magic = Buffer.from('DMSEAL01', 'latin1');
const chunkBytes = 256 * 1024;
const tagBytes = 16;
const nonceBytes = 12;

export const newDataKey = (): KeyObject => generateKeySync('aes', { length: 8 * keyBytes });

/** Writes the sealed copy of a file and tells what was written. */
export async function sealFile(
  source: string,
  target: string,
  seal: Seal,
  signal: AbortSignal,
): Promise<{ sizeBytes: number; sha256: string }> {
  await using file = await open(source);
  const hash = createHash('sha256');
  let sizeBytes = 0;
  async function* sealed(): AsyncGenerator<Buffer> {
    yield magic;
    for await (const chunk of chunksOf(file, chunkBytes)) yield sealChunk(seal, chunk);
  }
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const piece of sealed()) {
      hash.update(piece);
      sizeBytes += piece.length;
      yield piece;
    }
  }
  await pipeline(counted(), createWriteStream(target), { signal });
  return { sizeBytes, sha256: hash.digest('hex') };
}

/**
 * The content as its sealed bytes arrive. What is given out is authentic, chunk by chunk; that it is all of it is known
 * at the end. Failures: `snapshot-corrupt`, and those of the source.
 */
export async function* openSealed(source: AsyncIterable<Uint8Array>, seal: Seal): AsyncGenerator<Buffer> {
  const pieces = piecesOf(source, magic.length, chunkBytes + tagBytes);
  const mark = await pieces.next();
  if (mark.done === true || !mark.value.bytes.equals(magic)) throw corrupt(seal, 'it does not start with its mark');
  if (mark.value.isLast) throw corrupt(seal, 'it is cut short');
  for await (const { index, ...chunk } of pieces) yield openChunk(seal, { ...chunk, index: index - 1 });
}

/** A first piece and then equal ones, the last one perhaps shorter. Whether one is the last shows when more comes. */
async function* piecesOf(
  source: AsyncIterable<Uint8Array>,
  firstBytes: number,
  pieceBytes: number,
): AsyncGenerator<Chunk, undefined> {
  let pending: Buffer = Buffer.alloc(0);
  let index = 0;
  for await (const { buffer, byteOffset, length } of source) {
    const arrived = Buffer.from(buffer, byteOffset, length);
    pending = pending.length === 0 ? arrived : Buffer.concat([pending, arrived]);
    for (let wanted = index === 0 ? firstBytes : pieceBytes; pending.length > wanted; wanted = pieceBytes) {
      yield { index: index++, isLast: false, bytes: pending.subarray(0, wanted) };
      pending = pending.subarray(wanted);
    }
  }
  if (pending.length > 0) yield { index, isLast: true, bytes: pending };
  return undefined;
}

export async function openSealedFile(source: string, target: string, seal: Seal, signal: AbortSignal): Promise<void> {
  // Opened before anything can fail: a stream that opens by itself may create the file after it was removed.
  const output = await open(target, 'w');
  try {
    const sealed = createReadStream(source, { highWaterMark: chunkBytes });
    await pipeline(openSealed(sealed, seal), output.createWriteStream(), { signal });
  } catch (error) {
    await output.close().catch(() => undefined); // the stream may have closed it
    await rm(target, { force: true });
    throw error;
  }
}

/** The same for what is small enough to be in memory anyway. */
export function sealBytes(content: Buffer, seal: Seal): Buffer {
  return Buffer.concat([magic, ...slicesOf(content, chunkBytes).map((chunk) => sealChunk(seal, chunk))]);
}

export function openSealedBytes(sealed: Buffer, seal: Seal): Buffer {
  if (!sealed.subarray(0, magic.length).equals(magic)) throw corrupt(seal, 'it does not start with its mark');
  const pieces = slicesOf(sealed.subarray(magic.length), chunkBytes + tagBytes);
  return Buffer.concat(pieces.map((chunk) => openChunk(seal, chunk)));
}

/** As chunksOf. */
function slicesOf(bytes: Buffer, pieceBytes: number): Chunk[] {
  const count = Math.max(1, Math.ceil(bytes.length / pieceBytes));
  return Array.from({ length: count }, (_, index) => ({
    ...{ index, isLast: index === count - 1 },
    bytes: bytes.subarray(index * pieceBytes, (index + 1) * pieceBytes),
  }));
}

interface Chunk {
  readonly index: number;
  readonly isLast: boolean;
  readonly bytes: Buffer;
}

/** Equal pieces of a file, the last one perhaps shorter; at least one, perhaps empty. */
async function* chunksOf(file: FileHandle, pieceBytes: number): AsyncGenerator<Chunk> {
  const { size } = await file.stat();
  const count = Math.max(1, Math.ceil(size / pieceBytes));
  for (let index = 0; index < count; index += 1) {
    const position = index * pieceBytes;
    // A buffer of its own for each: the writer behind us may still hold the one before.
    const bytes = Buffer.allocUnsafe(Math.min(pieceBytes, size - position));
    for (let filled = 0; filled < bytes.length;) {
      const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, position + filled);
      if (bytesRead === 0) throw new DormouseError('internal', 'a file became shorter while it was read');
      filled += bytesRead;
    }
    yield { index, isLast: index === count - 1, bytes };
  }
}

function nonceOf({ index, isLast }: Chunk): Buffer {
  const nonce = Buffer.alloc(nonceBytes);
  nonce.writeUInt32BE(index, nonceBytes - 5);
  nonce.writeUInt8(isLast ? 1 : 0, nonceBytes - 1);
  return nonce;
}

const additionalData = ({ objectKey }: Seal): Buffer => Buffer.concat([magic, Buffer.from(objectKey)]);

function sealChunk(seal: Seal, chunk: Chunk): Buffer {
  const sealing = createCipheriv(cipher, seal.dataKey, nonceOf(chunk)).setAAD(additionalData(seal));
  return Buffer.concat([sealing.update(chunk.bytes), sealing.final(), sealing.getAuthTag()]);
}

function openChunk(seal: Seal, chunk: Chunk): Buffer {
  const contentBytes = chunk.bytes.length - tagBytes;
  if (contentBytes < 0) throw corrupt(seal, 'it is cut short');
  const opening = createDecipheriv(cipher, seal.dataKey, nonceOf(chunk), { authTagLength: tagBytes })
    .setAAD(additionalData(seal))
    .setAuthTag(chunk.bytes.subarray(contentBytes));
  const content = opening.update(chunk.bytes.subarray(0, contentBytes));
  try {
    return Buffer.concat([content, opening.final()]);
  } catch (cause) {
    throw corrupt(seal, `its chunk ${chunk.index} is not what was sealed`, cause);
  }
}

const corrupt = ({ objectKey }: Seal, words: string, cause?: unknown): DormouseError =>
  new DormouseError('snapshot-corrupt', `the encrypted object ${objectKey} does not open: ${words}`, {
    details: { object: objectKey },
    ...(cause !== undefined && { cause }),
  });
