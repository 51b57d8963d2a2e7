/**
 * Which nodes may run something, kept in the store because Redis can forget: `nodes/<id>.json` names the boot of a node
 * from before it takes its first lease until it has stopped in order. A registry that begins a new life need only wait
 * for these. Only the worker that holds the node's folder writes its object.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { DormouseError } from '../errors/dormouse-error.ts';
import type { CallOptions, ObjectStore } from '../object-store/object-store.ts';
import { nodeOfPresence, objectKeys } from '../snapshot/object-keys.ts';

const presenceSchema = z.object({ bootId: z.string().max(64), since: z.iso.datetime() });
const maxBytes = 4096;
/** A store that does not answer must not hold up a node that has stopped; the presence left behind only costs time. */
const removeLimitMs = 5000;

export interface NodePresence {
  readonly nodeId: string;
  /** Undefined when the object cannot be read: nobody can have announced that. */
  readonly bootId: string | undefined;
}

export interface NewPresence {
  readonly nodeId: string;
  readonly bootId: string;
  /** The boot of this node that is certainly over. */
  readonly deadBootId: string | undefined;
  readonly leaseMs: number;
}

/** Dispose it when nothing of the node runs any more. */
export async function announcePresence(store: ObjectStore, presence: NewPresence): Promise<AsyncDisposable> {
  const { nodeId, bootId, deadBootId, leaseMs } = presence;
  const key = objectKeys.node(nodeId);
  const before = await readPresence(store, nodeId);
  // The folder is new, or another machine uses the id: what ran under it ends with its lease.
  if (before !== undefined && before.bootId !== deadBootId) await delay(leaseMs);
  const bytes = Buffer.from(JSON.stringify({ bootId, since: new Date().toISOString() }));
  await store.put(key, { kind: 'bytes', bytes });
  return {
    async [Symbol.asyncDispose]() {
      await store.delete(key, { signal: AbortSignal.timeout(removeLimitMs) }).catch(() => undefined);
    },
  };
}

export async function* nodePresences(store: ObjectStore, options?: CallOptions): AsyncGenerator<NodePresence> {
  for await (const { key } of store.list('nodes/', options)) {
    const nodeId = nodeOfPresence(key);
    const presence = nodeId === undefined ? undefined : await readPresence(store, nodeId, options);
    if (presence !== undefined) yield presence;
  }
}

async function readPresence(
  store: ObjectStore,
  nodeId: string,
  options?: CallOptions,
): Promise<NodePresence | undefined> {
  try {
    const bytes = await store.get(objectKeys.node(nodeId), { ...options, maxBytes });
    return { nodeId, bootId: presenceSchema.parse(JSON.parse(bytes.toString('utf8'))).bootId };
  } catch (error) {
    if (!(error instanceof DormouseError)) return { nodeId, bootId: undefined };
    if (error.code === 'store-object-missing') return undefined; // it has stopped meanwhile
    throw error;
  }
}
