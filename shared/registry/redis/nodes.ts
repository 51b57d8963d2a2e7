/** Nodes in Redis: a hash, a lease key with a time to live, the set of actors placed there and the memory they use. */
import { nodeRecordSchema, type NodeRecord, type NodeStatus } from '../records.ts';
import type { LeaseAnswer, NodeRegistry } from '../registry.ts';
import { translated, type RedisConnection } from './connection.ts';
import { decodeHash, encodeFields, hashOf } from './hash-record.ts';
import { redisKeys } from './keys.ts';
import type { RunScript } from './scripts.ts';

export function nodeRegistry(redis: RedisConnection, run: RunScript): NodeRegistry {
  const getNode: NodeRegistry['getNode'] = async (id) => {
    const [hash, leaseMs, usedSlots, usedMemory, revisions, returning] = await translated(
      Promise.all([
        redis.hgetall(redisKeys.node(id)),
        redis.pttl(redisKeys.lease(id)),
        redis.scard(redisKeys.nodeActors(id)),
        redis.hget(`${redisKeys.node(id)}:used`, 'memoryMiB'),
        redis.smembers(redisKeys.nodeRevisions(id)),
        redis.exists(redisKeys.nodeReturning(id)),
      ]),
    );
    return statusOf(id, hash, leaseMs, usedSlots, usedMemory, revisions, returning);
  };
  return {
    getNode,
    async announceNode(record, leaseMs, deadBootId = '') {
      return (await run('announceNode', record.id, record.bootId, leaseMs, deadBootId, ...encodeFields(record))) === 1;
    },
    async renewLease(nodeId, bootId, leaseMs) {
      return (await run('renewLease', nodeId, bootId, leaseMs)) as LeaseAnswer;
    },
    async retakeLease(record, leaseMs) {
      return (await run('retakeLease', record.id, record.bootId, leaseMs, ...encodeFields(record))) === 1;
    },
    async settleNode(nodeId) {
      await translated(redis.del(redisKeys.nodeReturning(nodeId)));
    },
    async declareNodeOver(nodeId) {
      return (await run('declareNodeOver', nodeId)) === 1;
    },
    async releaseLease(nodeId, bootId) {
      await run('releaseLease', nodeId, bootId);
    },
    async setNodeState(nodeId, state) {
      return (await run('setNodeState', nodeId, JSON.stringify(state))) === 1;
    },
    // In one round trip however many there are: every wake asks for them.
    async listNodes() {
      const found = (await run('listNodes')) as NodeReply[];
      const nodes = found.map(([fields, leaseMs, usedSlots, usedMemory, revisions, returning]) => {
        const hash = hashOf(fields);
        return statusOf(idOf(hash), hash, leaseMs, usedSlots, usedMemory, revisions, returning);
      });
      return nodes.filter((node) => node !== undefined).sort((a, b) => (a.id < b.id ? -1 : 1));
    },
  };
}

/** Hash as field, value, …; lease in milliseconds; slots used; memory used; revisions; 1 while it is returning. */
type NodeReply = [string[], number, number, string, string[], number];

const idOf = ({ id = '""' }: Readonly<Record<string, string>>): string => String(JSON.parse(id));

function statusOf(
  id: string,
  hash: Readonly<Record<string, string>>,
  leaseMs: number,
  usedSlots: number,
  usedMemory: string | null,
  revisions: readonly string[],
  returning: number,
): NodeStatus | undefined {
  const record: NodeRecord | undefined = decodeHash(nodeRecordSchema, redisKeys.node(id), hash);
  if (record === undefined) return undefined;
  return {
    ...{ ...record, leaseMs: Math.max(0, leaseMs), usedSlots, usedMemoryMiB: Number(usedMemory ?? 0) },
    ...{ returning: returning === 1, revisions },
  };
}
