/**
 * The content of a part as it arrives: several ranges under way at once, opened on the way if the part is encrypted. Size
 * and digest are the manifest's only once the stream has ended: whoever reads it throws away what it made of it when the
 * stream fails, and lets nobody see it before its end.
 *
 * Failures: `snapshot-missing`, `snapshot-corrupt`, `encryption-key-missing`, `encryption-key-wrong`, and the store's own.
 */
import { createHash } from 'node:crypto';
import { openSealed } from '../../shared/encryption/sealed-file.ts';
import { findDataKey } from '../../shared/encryption/stored-keys.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import { readInRanges } from '../../shared/object-store/read-in-ranges.ts';
import type { SnapshotPart } from '../../shared/snapshot/manifest.ts';
import type { SnapshotBlobs } from './blobs.ts';

export async function* partContent(
  { store, keyRing }: SnapshotBlobs,
  part: SnapshotPart,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  if (part.encryption === undefined) {
    yield* checkedBytes(store, part, signal);
    return;
  }
  const dataKey = await findDataKey(store, keyRing, part.key, { signal });
  yield* openSealed(checkedBytes(store, part, signal), { dataKey, objectKey: part.key });
}

async function* checkedBytes(store: ObjectStore, part: SnapshotPart, signal: AbortSignal): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  const checkSize = (objectBytes: number): void => {
    if (objectBytes !== part.sizeBytes) throw damaged(part, 'its size differs', { actual: { sizeBytes: objectBytes } });
  };
  try {
    for await (const bytes of readInRanges(store, part.key, part.sizeBytes, checkSize, { signal })) {
      hash.update(bytes);
      yield bytes;
    }
  } catch (cause) {
    throw isMissing(cause) ? missing(store, part, cause) : cause;
  }
  const sha256 = hash.digest('hex');
  if (sha256 !== part.sha256) throw damaged(part, 'its content differs', { actual: { sha256 } });
}

const isMissing = (error: unknown): boolean => error instanceof DormouseError && error.code === 'store-object-missing';

export const missing = (store: ObjectStore, part: SnapshotPart, cause: unknown): DormouseError =>
  new DormouseError('snapshot-missing', `the object ${part.key} is not in the store`, {
    cause,
    details: { object: part.key, store: store.description },
  });

export const damaged = (
  part: SnapshotPart,
  words: string,
  facts: { readonly actual?: object; readonly cause?: unknown },
): DormouseError =>
  new DormouseError('snapshot-corrupt', `the object ${part.key} is not what was written: ${words}`, {
    details: {
      object: part.key,
      expected: { sizeBytes: part.sizeBytes, sha256: part.sha256 },
      ...(facts.actual !== undefined && { actual: facts.actual }),
    },
    ...(facts.cause !== undefined && { cause: facts.cause }),
  });
