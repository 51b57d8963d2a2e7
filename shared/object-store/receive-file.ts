/**
 * The receiving end of `getToFile`: bytes go into a file beside the wanted path and become that path only when all of
 * them are there. A failure removes the partial file; a killed process can leave one (`<path>.<uuid>.partial`).
 */
import { createHash, randomUUID } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { DormouseError, toDormouseError } from '../errors/dormouse-error.ts';
import { refuseLarger } from './read-bound.ts';

export interface Received {
  readonly sizeBytes: number;
  readonly sha256: string;
}

export interface Announced {
  readonly key: string;
  /** What the store said it would send; undefined if it did not say. */
  readonly expectedBytes: number | undefined;
  /** More than this is `store-object-too-large`, announced or not. */
  readonly maxBytes: number | undefined;
}

export async function receiveFile(
  source: AsyncIterable<Uint8Array>,
  path: string,
  { key, expectedBytes, maxBytes = Infinity }: Announced,
): Promise<Received> {
  refuseLarger(key, expectedBytes ?? 0, maxBytes);
  const partial = `${path}.${randomUUID()}.partial`;
  try {
    const received = await receiveInto(partial, source, (sizeBytes) => refuseLarger(key, sizeBytes, maxBytes));
    if (expectedBytes !== undefined && received.sizeBytes !== expectedBytes) throw cutShort(received, expectedBytes);
    await rename(partial, path).catch((error: unknown) => rejectLocal(path, error));
    return received;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

async function receiveInto(
  partial: string,
  source: AsyncIterable<Uint8Array>,
  checkSize: (sizeBytes: number) => void,
): Promise<Received> {
  await using file = await open(partial, 'wx').catch((error: unknown) => rejectLocal(partial, error));
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of source) {
    checkSize(sizeBytes + chunk.length);
    hash.update(chunk);
    await writeAll(file, chunk).catch((error: unknown) => rejectLocal(partial, error));
    sizeBytes += chunk.length;
  }
  return { sizeBytes, sha256: hash.digest('hex') };
}

/** One write may take less than it was given. */
export async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let offset = 0; offset < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, offset);
    offset += bytesWritten;
  }
}

function cutShort(received: Received, expectedBytes: number): DormouseError {
  const words = `the transfer ended after ${received.sizeBytes} of ${expectedBytes} bytes`;
  return new DormouseError('store-unavailable', words);
}

/** This end's disk failed, not the store. */
function rejectLocal(path: string, cause: unknown): never {
  const { code, message } = toDormouseError(cause);
  throw new DormouseError(code, `cannot write ${path}: ${message}`, { cause });
}
