/** Compares an object with what is written down about it: the size always, the digest when there is room to read it. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { DormouseError } from '../errors/dormouse-error.ts';
import type { CallOptions, ListedObject, ObjectStore } from '../object-store/object-store.ts';
import type { Named } from './finding.ts';

/** In words what differs; `gone` when it was removed meanwhile; undefined when it is what it should be. */
export async function verifyObject(
  store: ObjectStore,
  { sizeBytes, sha256 }: Named,
  object: ListedObject,
  scratchFolder: string | undefined,
  options: CallOptions,
): Promise<string | undefined> {
  if (sizeBytes !== undefined && object.sizeBytes !== sizeBytes) {
    return `it has ${object.sizeBytes} bytes instead of ${sizeBytes}`;
  }
  if (sha256 === undefined || scratchFolder === undefined) return undefined;
  const target = path.join(scratchFolder, randomUUID());
  try {
    const arrived = await store.getToFile(object.key, target, options);
    return arrived.sha256 === sha256 ? undefined : 'its content is not what was written';
  } catch (error) {
    if (error instanceof DormouseError && error.code === 'store-object-missing') return 'gone';
    throw error;
  } finally {
    await rm(target, { force: true });
  }
}
