/**
 * What the store keeps of an actor's lines. Where they are encrypted, a node opens them: the api has no keys. Any node can,
 * and the ones that had the actor are asked first. Kept lines promise nothing: when no node opens them there are none.
 */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { LogLine } from '../../shared/logs/line.ts';
import { readStored } from '../../shared/logs/stored.ts';
import { metadataOf } from '../../shared/node-service/contract.ts';
import type { LogsReply } from '../../shared/proto/gen/agent.ts';
import type { ActorRecord } from '../../shared/registry/records.ts';
import type { GuestParts } from './open-session.ts';

/** For one node to read and send them all; one that is away must not keep the reader from the others. */
const nodeLimitMs = 10_000;

export async function keptLines(
  parts: GuestParts,
  record: ActorRecord,
  signal: AbortSignal,
): Promise<readonly LogLine[]> {
  const { id, uid } = record;
  const own = await readStored({ store: parts.store, keyRing: [] }, id, uid, { signal });
  if (own !== undefined) return own;
  for (const node of await nodesToAsk(parts, record)) {
    try {
      return await openedBy(parts, node, record, signal);
    } catch (error) {
      signal.throwIfAborted();
      parts.log.debug({ actorId: id, askedNode: node, err: error }, 'a node did not open the kept lines');
    }
  }
  parts.log.warn({ actorId: id }, 'no node opens the kept lines of an actor');
  return [];
}

async function nodesToAsk({ registry }: GuestParts, { node, lastNode }: ActorRecord): Promise<string[]> {
  const alive = (await registry.listNodes()).filter(({ leaseMs }) => leaseMs > 0).map(({ id }) => id);
  const near = [node, lastNode];
  return alive.toSorted((a, b) => Number(near.includes(b)) - Number(near.includes(a)));
}

async function openedBy(
  parts: GuestParts,
  node: string,
  { id, uid }: ActorRecord,
  signal: AbortSignal,
): Promise<readonly LogLine[]> {
  const client = await parts.nodeClients.clientOf(node);
  const pass = (await parts.nodes.targetOf(node))?.pass();
  if (client === undefined) throw new DormouseError('node-not-found', `the node ${node} has no such service`);
  const metadata = metadataOf({ pass, actorId: id, epoch: '' });
  const stream = client.keptLogs({ actorId: id, uid }, metadata, { deadline: Date.now() + nodeLimitMs });
  const stop = (): void => stream.cancel();
  signal.addEventListener('abort', stop);
  const lines: LogLine[] = [];
  try {
    for await (const reply of stream) lines.push(...(reply as LogsReply).lines);
    return lines;
  } finally {
    signal.removeEventListener('abort', stop);
    stream.cancel();
  }
}
