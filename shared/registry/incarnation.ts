/**
 * Numbers the registry's lives. A registry that starts empty has no incarnation; whoever sees that first claims the next
 * free number create-only in the store, so that no epoch of an earlier life is ever given out again. Until it is set, no
 * actor may be claimed.
 */
import type { CallOptions, ObjectStore } from '../object-store/object-store.ts';
import { objectKeys } from '../snapshot/object-keys.ts';
import type { Registry } from './registry.ts';

const keyPattern = /^incarnations\/([0-9]{9})\.json$/;

/** The registry's incarnation, claimed now if it had none. Safe to call from any number of processes at once. */
export async function ensureIncarnation(
  registry: Pick<Registry, 'incarnation' | 'setIncarnation'>,
  store: ObjectStore,
  options?: CallOptions,
): Promise<number> {
  const known = await registry.incarnation();
  if (known > 0) return known;
  let next = (await highestClaimed(store, options)) + 1;
  while (!(await claimIncarnation(store, next, options))) next++;
  // Another process may have been faster: its number stands, and ours stays unused for ever.
  return registry.setIncarnation(next);
}

async function highestClaimed(store: ObjectStore, options?: CallOptions): Promise<number> {
  let highest = 0;
  for await (const { key } of store.list('incarnations/', options)) {
    const match = keyPattern.exec(key);
    if (match !== null) highest = Math.max(highest, Number(match[1]));
  }
  return highest;
}

async function claimIncarnation(store: ObjectStore, incarnation: number, options?: CallOptions): Promise<boolean> {
  const bytes = Buffer.from(JSON.stringify({ incarnation, claimedAt: new Date().toISOString() }));
  return (await store.create(objectKeys.incarnation(incarnation), { kind: 'bytes', bytes }, options)) === 'created';
}
