/**
 * Brings a snapshot's part from the node's cache or from the store to a file and believes it only if size and digest are the manifest's; an
 * encrypted one is opened on the way, chunk by chunk, each of them authenticated. A failure leaves no file.
 * Failures: `snapshot-missing`, `snapshot-corrupt`, `encryption-key-missing`, `encryption-key-wrong`, and the store's own
 * `store-unavailable`.
 */
import { rm } from 'node:fs/promises';
import { openSealedFile } from '../../shared/encryption/sealed-file.ts';
import { findDataKey } from '../../shared/encryption/stored-keys.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import type { SnapshotPart } from '../../shared/snapshot/manifest.ts';
import type { SnapshotBlobs } from './blobs.ts';

export async function fetchPart(
  blobs: SnapshotBlobs,
  part: SnapshotPart,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  if ((await blobs.cache?.linkTo(part.sha256, target)) === true) return;
  await download(blobs, part, target, signal);
  await blobs.cache?.keep(part.sha256, target);
}

async function download(
  { store, keyRing }: SnapshotBlobs,
  part: SnapshotPart,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  if (part.encryption === undefined) {
    await fetchObject(store, part, target, signal);
    return;
  }
  const sealed = `${target}.sealed`;
  try {
    // Both have ended before the file is removed. Of two failures, the key's is told.
    const [key, fetched] = await Promise.allSettled([
      findDataKey(store, keyRing, part.key, { signal }),
      fetchObject(store, part, sealed, signal),
    ]);
    if (key.status === 'rejected') throw key.reason;
    if (fetched.status === 'rejected') throw fetched.reason;
    const dataKey = key.value;
    await openSealedFile(sealed, target, { dataKey, objectKey: part.key }, signal);
  } finally {
    await rm(sealed, { force: true });
  }
}

async function fetchObject(store: ObjectStore, part: SnapshotPart, target: string, signal: AbortSignal): Promise<void> {
  const arrived = await getPart(store, part, target, signal);
  if (arrived.sizeBytes === part.sizeBytes && arrived.sha256 === part.sha256) return;
  await rm(target, { force: true });
  throw damaged(part, `its ${arrived.sizeBytes === part.sizeBytes ? 'content' : 'size'} differs`, { actual: arrived });
}

const damaged = (part: SnapshotPart, words: string, facts: { actual?: object; cause?: unknown }): DormouseError =>
  new DormouseError('snapshot-corrupt', `the object ${part.key} is not what was written: ${words}`, {
    details: {
      object: part.key,
      expected: { sizeBytes: part.sizeBytes, sha256: part.sha256 },
      ...(facts.actual !== undefined && { actual: facts.actual }),
    },
    ...(facts.cause !== undefined && { cause: facts.cause }),
  });

async function getPart(
  store: ObjectStore,
  part: SnapshotPart,
  target: string,
  signal: AbortSignal,
): Promise<{ sizeBytes: number; sha256: string }> {
  try {
    return await store.getToFile(part.key, target, { signal, maxBytes: part.sizeBytes });
  } catch (cause) {
    if (!(cause instanceof DormouseError)) throw cause;
    if (cause.code === 'store-object-too-large') throw damaged(part, 'its size differs', { cause });
    if (cause.code !== 'store-object-missing') throw cause;
    throw new DormouseError('snapshot-missing', `the object ${part.key} is not in the store`, {
      cause,
      details: { object: part.key, store: store.description },
    });
  }
}
