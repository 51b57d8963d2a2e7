/** Reading what is to be stored. A file that does not have the size it was announced with is a fault of the caller. */
import { open, type FileHandle } from 'node:fs/promises';
import { DormouseError } from '../errors/dormouse-error.ts';
import type { ObjectBody } from './object-store.ts';

export const bodySize = (body: ObjectBody): number => (body.kind === 'bytes' ? body.bytes.length : body.sizeBytes);

export interface BodyReader extends AsyncDisposable {
  /** Exactly these bytes; may be called out of order, concurrently and again. */
  read(start: number, end: number): Promise<Uint8Array>;
}

export async function openBody(body: ObjectBody): Promise<BodyReader> {
  if (body.kind === 'bytes') {
    return {
      read: (start, end) => Promise.resolve(body.bytes.subarray(start, end)),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const file = await open(body.path).catch((error: unknown) => rejectBody(body.path, error));
  const { size } = await file.stat();
  if (size !== body.sizeBytes) {
    await file.close();
    rejectBody(body.path, new Error(`it has ${size} bytes, not ${body.sizeBytes}`));
  }
  return {
    read: (start, end) => readRange(file, start, end).catch((error: unknown) => rejectBody(body.path, error)),
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** Pieces of the body in order, none larger than `pieceBytes`; an empty body has none. */
export async function* bodyPieces(
  reader: BodyReader,
  sizeBytes: number,
  pieceBytes: number,
): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < sizeBytes; start += pieceBytes) {
    yield await reader.read(start, Math.min(sizeBytes, start + pieceBytes));
  }
}

async function readRange(file: FileHandle, start: number, end: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(end - start);
  for (let filled = 0; filled < bytes.length;) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled);
    if (bytesRead === 0) throw new Error('it became shorter while it was read');
    filled += bytesRead;
  }
  return bytes;
}

export function rejectBody(path: string, cause: unknown): never {
  const words = cause instanceof Error ? cause.message : String(cause);
  throw new DormouseError('internal', `cannot store ${path}: ${words}`, { cause });
}
