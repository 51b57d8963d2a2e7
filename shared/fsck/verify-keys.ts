/**
 * The keys beside an encrypted object: it lives and dies with them, and without one of them it is lost. Their form can be
 * checked without knowing any secret; whether they open is for those who hold the configured keys.
 */
import { isWrappedKey, maxWrapBytes } from '../encryption/wrapped-key.ts';
import { DormouseError } from '../errors/dormouse-error.ts';
import type { CallOptions, ListedObject, ObjectStore } from '../object-store/object-store.ts';
import { objectKeys, wrappedKeyOf } from '../snapshot/object-keys.ts';
import type { Finding, Group, Named } from './finding.ts';

/** What is named, encrypted, and has nothing that could open it. */
export async function* lockedForever(
  store: ObjectStore,
  { prefix, objects }: Group,
  named: readonly Named[],
  options: CallOptions,
): AsyncGenerator<Finding> {
  const withKey = new Set(objects.map(({ key }) => wrappedKeyOf(key)?.objectKey));
  for (const { key, by, encryption } of named) {
    if (encryption === undefined || !key.startsWith(prefix) || withKey.has(key)) continue;
    const folder = objectKeys.wrappedKeys(key);
    // A rotation creates the new wrap before it removes the old one: a second look finds one, if there is any.
    if (!(await isEmpty(store.list(folder, options)))) continue;
    if ((await store.head(by, options)) === undefined) continue;
    yield { key: folder, verdict: 'missing', reason: `no key opens ${key}, which ${by} names` };
  }
}

async function isEmpty(objects: AsyncIterable<ListedObject>): Promise<boolean> {
  for await (const _ of objects) return false;
  return true;
}

/** In words what is wrong with a wrapped key; undefined for a good one, and for one that a rotation removed meanwhile. */
export async function verifyWrap(
  store: ObjectStore,
  { key }: ListedObject,
  options: CallOptions,
): Promise<string | undefined> {
  try {
    const document = await store.get(key, { ...options, maxBytes: maxWrapBytes });
    return isWrappedKey(document, wrappedKeyOf(key)?.keyId) ? undefined : 'it is not a wrapped key of that id';
  } catch (error) {
    if (!(error instanceof DormouseError)) throw error;
    if (error.code === 'store-object-missing') return undefined;
    if (error.code === 'store-object-too-large') return 'it is too large for a wrapped key';
    throw error;
  }
}
