/**
 * Brings a snapshot's part from the node's cache or from the store to a file and believes it only if size and digest are
 * the manifest's; an encrypted one is opened on the way, chunk by chunk, each of them authenticated. A failure leaves no
 * file. A small part is one request; a large one comes in ranges (part-content.ts).
 * Failures: `snapshot-missing`, `snapshot-corrupt`, `encryption-key-missing`, `encryption-key-wrong`, and the store's own
 * `store-unavailable`.
 */
import { open, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { openSealedFile } from '../../shared/encryption/sealed-file.ts';
import { findDataKey } from '../../shared/encryption/stored-keys.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import { rangeBytes } from '../../shared/object-store/read-in-ranges.ts';
import type { SnapshotPart } from '../../shared/snapshot/manifest.ts';
import type { SnapshotBlobs } from './blobs.ts';
import { damaged, missing, partContent } from './part-content.ts';

export async function fetchPart(
  blobs: SnapshotBlobs,
  part: SnapshotPart,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  if ((await blobs.cache?.linkTo(part.sha256, target)) === true) return;
  if (part.sizeBytes > rangeBytes) await writeContent(partContent(blobs, part, signal), target, signal);
  else await download(blobs, part, target, signal);
  await blobs.cache?.keep(part.sha256, target);
}

/** A failure leaves no file. Opened before anything can fail: a stream that opens by itself may create it afterwards. */
export async function writeContent(content: AsyncIterable<Buffer>, target: string, signal: AbortSignal): Promise<void> {
  const output = await open(target, 'w');
  try {
    await pipeline(content, output.createWriteStream(), { signal });
  } catch (error) {
    await output.close().catch(() => undefined); // the stream may have closed it
    await rm(target, { force: true });
    throw error;
  }
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
    throw missing(store, part, cause);
  }
}
