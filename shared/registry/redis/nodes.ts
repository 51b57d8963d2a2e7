/** Nodes in Redis: a hash, a lease key with a time to live, the set of actors placed there and the memory they use. */
import type { Redis } from 'ioredis';
import { nodeRecordSchema, type NodeRecord } from '../records.ts';
import type { LeaseAnswer, NodeRegistry } from '../registry.ts';
import { translated } from './connection.ts';
import { decodeHash, encodeFields } from './hash-record.ts';
import { redisKeys } from './keys.ts';
import type { RunScript } from './scripts.ts';

export function nodeRegistry(redis: Redis, run: RunScript): NodeRegistry {
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
    const record: NodeRecord | undefined = decodeHash(nodeRecordSchema, redisKeys.node(id), hash);
    if (record === undefined) return undefined;
    return {
      ...{ ...record, leaseMs: Math.max(0, leaseMs), usedSlots, usedMemoryMiB: Number(usedMemory ?? 0) },
      ...{ returning: returning === 1, revisions },
    };
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
    async listNodes() {
      const ids = await translated(redis.smembers(redisKeys.nodes));
      const nodes = await Promise.all(ids.sort().map(getNode));
      return nodes.filter((node) => node !== undefined);
    },
  };
}
