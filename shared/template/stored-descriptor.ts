/** Reads a template's descriptor out of the store and believes it only if it is the one that its key promises. */
import { DormouseError } from '../errors/dormouse-error.ts';
import type { CallOptions, ObjectStore } from '../object-store/object-store.ts';
import { objectKeys } from '../snapshot/object-keys.ts';
import { parseDescriptor, type TemplateDescriptor } from './golden.ts';

/** A specification of the largest size a request may have, and the manifest. */
const maxBytes = 4 * 1024 * 1024;

/** Undefined when there is none. Throws `snapshot-corrupt`. */
export async function readDescriptor(
  store: ObjectStore,
  name: string,
  revision: string,
  options?: CallOptions,
): Promise<TemplateDescriptor | undefined> {
  const key = objectKeys.template(name, revision);
  try {
    return parseDescriptor(name, revision, await store.get(key, { ...options, maxBytes }));
  } catch (cause) {
    const code = cause instanceof DormouseError ? cause.code : undefined;
    if (code === 'store-object-missing') return undefined;
    if (code !== 'store-object-too-large') throw cause;
    const details = { object: key };
    throw new DormouseError('snapshot-corrupt', `the template descriptor ${key} cannot be read`, { cause, details });
  }
}
