/**
 * `check` of every driver: what the platform needs of a store, tried for real on an object of its own. The create-only
 * rule is tried too, because a server that ignores the condition answers like one that honours it, until two nodes
 * commit the same generation.
 */
import { randomUUID } from 'node:crypto';
import { DormouseError } from '../errors/dormouse-error.ts';
import type { CallOptions, ObjectBody, ObjectStore } from './object-store.ts';

export async function checkStore(store: ObjectStore, options?: CallOptions): Promise<void> {
  const key = `check/${randomUUID()}`;
  const body: ObjectBody = { kind: 'bytes', bytes: Buffer.from('dormouse') };
  const first = await store.create(key, body, options);
  const second = await store.create(key, body, options);
  await store.delete(key, options);
  if (first === 'created' && second === 'exists') return;
  const words = `${store.description} does not honour create-only writes, so it cannot hold actors`;
  throw new DormouseError('store-misconfigured', words, { details: { first, second } });
}
