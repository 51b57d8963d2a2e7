/**
 * Brings a snapshot's part from the store to a file and believes it only if size and digest are the manifest's.
 * Failures: `snapshot-missing`, `snapshot-corrupt`, and the store's own `store-unavailable`.
 */
import { unlink } from 'node:fs/promises';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import type { SnapshotPart } from '../../shared/snapshot/manifest.ts';

export async function fetchPart(
  store: ObjectStore,
  part: SnapshotPart,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const arrived = await getPart(store, part, target, signal);
  if (arrived.sizeBytes === part.sizeBytes && arrived.sha256 === part.sha256) return;
  await unlink(target);
  throw new DormouseError(
    'snapshot-corrupt',
    `the object ${part.key} is not what was written: its ${differing(part, arrived)} differs`,
    {
      details: { object: part.key, expected: { sizeBytes: part.sizeBytes, sha256: part.sha256 }, actual: arrived },
    },
  );
}

const differing = (part: SnapshotPart, arrived: { sizeBytes: number }): string =>
  arrived.sizeBytes === part.sizeBytes ? 'content' : 'size';

async function getPart(
  store: ObjectStore,
  part: SnapshotPart,
  target: string,
  signal: AbortSignal,
): Promise<{ sizeBytes: number; sha256: string }> {
  try {
    return await store.getToFile(part.key, target, { signal });
  } catch (cause) {
    if (!(cause instanceof DormouseError) || cause.code !== 'store-object-missing') throw cause;
    throw new DormouseError('snapshot-missing', `the object ${part.key} is not in the store`, {
      cause,
      details: { object: part.key, store: store.description },
    });
  }
}
