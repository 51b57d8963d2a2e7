/**
 * Numbers the registry's lives. A life ends when Redis is restarted, emptied or replaced by an older copy; then nobody
 * can say from Redis alone who runs what, nor which epochs were given out. Whoever sees it first claims the next free
 * number create-only in the store, so that no epoch of an earlier life is ever given out again, and begins the next life:
 * every node must announce itself again, and nothing is placed until all have done so or their leases are certainly over.
 *
 *   no current life ── claim n in the store ──► life n, closed ── every node that may run something announced ──► open
 *                                                              ── one lease period ───────────────────────────► open
 *
 * Why one lease period is enough: a node freezes its VMs by its own clock before the lease that it last renewed runs
 * out, and no renewal succeeds after the life has begun.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { CallOptions, ObjectStore } from '../object-store/object-store.ts';
import { objectKeys } from '../snapshot/object-keys.ts';
import { nodePresences } from './node-presence.ts';
import type { LifeRegistry, NodeRegistry } from './registry.ts';

const keyPattern = /^incarnations\/([0-9]{9})\.json$/;
/** The longest lease that can be configured: for a caller that does not know how long the nodes' leases are. */
const longestLeaseMs = 60_000;
/** Another process that begins the same life is done after a few steps. */
const retryMs = 20;

export interface LifeOptions extends CallOptions {
  /** How long a node may go on after its last renewal. */
  readonly leaseMs?: number;
}

/** The incarnation of the current life, begun now if there was none. Safe to call from any number of processes at once. */
export async function ensureIncarnation(
  registry: LifeRegistry,
  store: ObjectStore,
  { leaseMs = longestLeaseMs, ...options }: LifeOptions = {},
): Promise<number> {
  for (;;) {
    const { current, incarnation } = await registry.life();
    if (current) return incarnation;
    const highest = await highestClaimed(store, options);
    let next = Math.max(highest, incarnation) + 1;
    while (!(await claimIncarnation(store, next, options))) next++;
    // Nobody can run anything for a registry and a store that never had a life.
    const standing = await registry.beginLife(next, highest === 0 && incarnation === 0 ? 0 : leaseMs);
    // Another process may have been faster: its number stands, and ours stays unused for ever.
    if (standing > 0) return standing;
    await delay(retryMs, undefined, options);
  }
}

/** Opens placement as soon as every node that may run something has announced itself, with what it runs, in this life. */
export async function openWhenAnnounced(
  registry: LifeRegistry & Pick<NodeRegistry, 'getNode'>,
  store: ObjectStore,
  options?: CallOptions,
): Promise<boolean> {
  const { incarnation, current, closedMs } = await registry.life();
  if (!current) return false;
  if (closedMs === 0) return true;
  for await (const { nodeId, bootId } of nodePresences(store, options)) {
    const node = await registry.getNode(nodeId);
    if (node === undefined || node.bootId !== bootId || node.leaseMs === 0 || node.returning) return false;
  }
  return registry.openPlacement(incarnation);
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
