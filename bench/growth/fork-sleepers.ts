/**
 * Writes suspended actors into a store: each is a copy of one that really was suspended, under an id and a uid of its own,
 * with parts of its own and a log that commits them. A rebuild of the registry finds them like any other actor.
 */
import { randomUUID } from 'node:crypto';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import { inLanes } from '../../shared/process/lanes.ts';
import { appendEntry, readHead, type LogEntry } from '../../shared/snapshot/actor-log.ts';
import { objectKeys } from '../../shared/snapshot/object-keys.ts';

/** Enough to keep a folder or a store on loopback busy. */
const laneCount = 16;
const attempt = 1;

/** Returns the bytes that each of them takes: its parts and its log. */
export async function forkSleepers(store: ObjectStore, from: string, ids: readonly string[]): Promise<number> {
  const { created, snapshot } = await readHead(store, from);
  if (created === undefined || snapshot === undefined) throw new DormouseError('internal', `${from} has no generation`);
  const { memory, device } = snapshot.manifest.parts;
  const bytes = { memory: await store.get(memory.key), device: await store.get(device.key) };
  let writtenBytes = 0;
  const append = async (id: string, seq: number, entry: Parameters<typeof appendEntry>[3]): Promise<void> => {
    const result = await appendEntry(store, id, seq, entry);
    if (result.outcome === 'lost') throw new DormouseError('internal', `the actor ${id} exists already`);
    writtenBytes += Buffer.byteLength(JSON.stringify(result.entry));
  };
  const fork = async (id: string): Promise<void> => {
    const uid = randomUUID();
    const keyOf = (part: 'memory' | 'device'): string => objectKeys.blob(id, uid, snapshot.epoch, attempt, part);
    const parts = { memory: { ...memory, key: keyOf('memory') }, device: { ...device, key: keyOf('device') } };
    await append(id, 0, { ...restOf(created), id, uid });
    for (const part of ['memory', 'device'] as const) {
      await store.put(keyOf(part), { kind: 'bytes', bytes: bytes[part] });
      writtenBytes += bytes[part].length;
    }
    const { epoch, node, generation, manifest } = snapshot;
    await append(id, 1, { kind: 'snapshot', uid, epoch, node, generation, manifest: { ...manifest, parts } });
  };
  await inLanes(asynchronous(ids), laneCount, fork);
  return Math.round(writtenBytes / ids.length);
}

function restOf({ kind, id, uid, template, revision, labels, coldStart }: Extract<LogEntry, { kind: 'created' }>) {
  return { kind, id, uid, template, revision, labels, coldStart };
}

async function* asynchronous<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  for (const item of items) yield await Promise.resolve(item);
}
