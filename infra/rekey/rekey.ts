/**
 * Rotation by re-wrap: every data key in a store comes under the first configured key, and its wraps by other keys go.
 * Snapshots and kept lines themselves are not touched, nor is any log. May be interrupted and repeated, and run beside a platform whose
 * nodes all have both keys: an object always has a wrap that opens.
 */
import { findDataKey, readDataKey, storeDataKey } from '../../shared/encryption/stored-keys.ts';
import type { EncryptionKey, KeyRing } from '../../shared/encryption/key-ring.ts';
import { DormouseError, toDormouseError } from '../../shared/errors/dormouse-error.ts';
import type { CallOptions, ObjectStore } from '../../shared/object-store/object-store.ts';
import { objectKeys, wrappedKeyOf } from '../../shared/snapshot/object-keys.ts';

export interface RekeyReport {
  /** Encrypted objects whose data key is now wrapped by the first key alone, and how many of them were before. */
  readonly objects: number;
  readonly alreadyDone: number;
  /** Objects that no configured key opens, or whose wrap is damaged. Their wraps stay as they are. */
  readonly failed: readonly { readonly objectKey: string; readonly reason: string }[];
}

export async function rekeyStore(store: ObjectStore, ring: KeyRing, options?: CallOptions): Promise<RekeyReport> {
  const [first] = ring;
  if (first === undefined) {
    const words = 'configuration: DORMOUSE_ENCRYPTION_KEYS: needed to wrap with; the first key is the new one';
    throw new DormouseError('invalid-configuration', words);
  }
  const failed: RekeyReport['failed'][number][] = [];
  let [objects, alreadyDone] = [0, 0];
  for (const [objectKey, keyIds] of await findWraps(store, options)) {
    try {
      await rekeyObject(store, ring, first, objectKey, keyIds, options);
      objects += 1;
      if (keyIds.length === 1 && keyIds[0] === first.id) alreadyDone += 1;
    } catch (error) {
      // It went while we were at it (a generation that is not kept, lines that are one object now), or was never written.
      if ((await store.head(objectKey, options)) === undefined) continue;
      const { code, message } = toDormouseError(error);
      if (!ofTheObject.has(code)) throw error;
      failed.push({ objectKey, reason: message });
    }
  }
  return { objects, alreadyDone, failed };
}

/** What another object may well be free of; anything else ends the whole run. */
const ofTheObject: ReadonlySet<string> = new Set([
  'encryption-key-missing',
  'encryption-key-wrong',
  'snapshot-corrupt',
  'snapshot-missing',
]);

/** Where encrypted objects are: below actors and templates. */
const folders = ['actors/', 'templates/'];

async function findWraps(store: ObjectStore, options?: CallOptions): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const folder of folders) {
    for await (const { key } of store.list(folder, options)) {
      const wrap = wrappedKeyOf(key);
      if (wrap !== undefined) found.set(wrap.objectKey, [...(found.get(wrap.objectKey) ?? []), wrap.keyId]);
    }
  }
  return found;
}

async function rekeyObject(
  store: ObjectStore,
  ring: KeyRing,
  first: EncryptionKey,
  objectKey: string,
  keyIds: readonly string[],
  options?: CallOptions,
): Promise<void> {
  if (!keyIds.includes(first.id)) {
    await storeDataKey(store, first, objectKey, await findDataKey(store, ring, objectKey, options), options);
  }
  await readDataKey(store, first, objectKey, options); // read back before anything goes
  for (const keyId of keyIds.filter((id) => id !== first.id)) {
    await store.delete(objectKeys.wrappedKey(objectKey, keyId), options);
  }
}
