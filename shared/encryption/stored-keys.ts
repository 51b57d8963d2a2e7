/**
 * Data keys in the store: for an encrypted object `X`, one wrap per configured key that can open it, at `X.keys/<key id>`.
 * Wraps are created, never replaced: a rotation creates the new one and then removes the others, so there is no moment
 * without a good one, and the log, which never changes, need not be touched.
 *
 * Failures: `snapshot-missing` (no wrap at all), `encryption-key-missing` (wraps, but by none of the configured keys), and
 * those of wrapped-key.ts and of the store.
 */
import type { KeyObject } from 'node:crypto';
import { DormouseError } from '../errors/dormouse-error.ts';
import type { CallOptions, ObjectStore } from '../object-store/object-store.ts';
import { objectKeys } from '../snapshot/object-keys.ts';
import type { EncryptionKey, KeyRing } from './key-ring.ts';
import { maxWrapBytes, unwrapKey, wrapKey } from './wrapped-key.ts';

/** A rotation may remove the wrap that we have just chosen, once; a second time means something else. */
const maxRounds = 3;

/** Says 'exists' when the object has a wrap by this key already: then that one counts, and ours is not written. */
export async function storeDataKey(
  store: ObjectStore,
  key: EncryptionKey,
  objectKey: string,
  dataKey: KeyObject,
  options?: CallOptions,
): Promise<'created' | 'exists'> {
  const bytes = wrapKey(key, objectKey, dataKey);
  return store.create(objectKeys.wrappedKey(objectKey, key.id), { kind: 'bytes', bytes }, options);
}

export async function readDataKey(
  store: ObjectStore,
  key: EncryptionKey,
  objectKey: string,
  options?: CallOptions,
): Promise<KeyObject> {
  const wrap = await store.get(objectKeys.wrappedKey(objectKey, key.id), { ...options, maxBytes: maxWrapBytes });
  return unwrapKey(key, objectKey, wrap);
}

/** The data key of an object, by whichever configured key opens it. */
export async function findDataKey(
  store: ObjectStore,
  ring: KeyRing,
  objectKey: string,
  options?: CallOptions,
): Promise<KeyObject> {
  for (let round = 1; ; round += 1) {
    const present = await wrapsOf(store, objectKey, options);
    const key = ring.find(({ id }) => present.includes(id));
    if (key === undefined) throw cannotOpen(objectKey, present, ring);
    try {
      return await readDataKey(store, key, objectKey, options);
    } catch (error) {
      if (!(error instanceof DormouseError) || error.code !== 'store-object-missing' || round === maxRounds)
        throw error;
    }
  }
}

async function wrapsOf(store: ObjectStore, objectKey: string, options?: CallOptions): Promise<string[]> {
  const folder = objectKeys.wrappedKeys(objectKey);
  const ids: string[] = [];
  for await (const { key } of store.list(folder, options)) ids.push(key.slice(folder.length));
  return ids;
}

function cannotOpen(objectKey: string, needs: string[], ring: KeyRing): DormouseError {
  const has = ring.map(({ id }) => id);
  const details = { object: objectKey, needs, has };
  if (needs.length === 0) {
    return new DormouseError('snapshot-missing', `the data key of ${objectKey} is not in the store`, { details });
  }
  const configured = has.length === 0 ? 'no key is configured' : `configured: ${has.join(', ')}`;
  const words = `${objectKey} is encrypted with the key ${needs.join(' or ')}; ${configured}`;
  return new DormouseError('encryption-key-missing', words, { details });
}
