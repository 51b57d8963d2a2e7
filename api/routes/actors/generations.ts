/** GET /v1/actors/{id}/generations: the snapshots that its log in the store still names, newest first. */
import type { z } from 'zod';
import { DormouseError } from '../../../shared/errors/dormouse-error.ts';
import type { ObjectStore } from '../../../shared/object-store/object-store.ts';
import { readEntry, type SnapshotEntry } from '../../../shared/snapshot/actor-log.ts';
import { objectKeys, sequenceOf } from '../../../shared/snapshot/object-keys.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { actorParams, generationView } from '../../schemas/actor.ts';
import { listOf } from '../../schemas/list.ts';
import { requireActor } from './get.ts';

type GenerationView = z.infer<typeof generationView>;

/** The log is read entry by entry; more than the largest `retainGenerations` are never all kept. */
const entriesRead = 200;

export function generationsRoute(app: ApiApp, parts: RouteParts): void {
  app.get(
    '/v1/actors/:id/generations',
    {
      schema: {
        tags: ['actors'],
        summary: 'The kept snapshots of an actor',
        params: actorParams,
        response: { 200: listOf(generationView) },
      },
    },
    async (request) => {
      const { id, uid } = await requireActor(parts.registry, request.params.id);
      return { items: await readGenerations(parts.store, id, uid) };
    },
  );
}

async function readGenerations(store: ObjectStore, id: string, uid: string): Promise<GenerationView[]> {
  const sequences: number[] = [];
  for await (const { key } of store.list(objectKeys.logFolder(id))) sequences.push(sequenceOf(key) ?? 0);
  const views: GenerationView[] = [];
  for (const seq of sequences.sort((a, b) => b - a).slice(0, entriesRead)) {
    const entry = await readEntry(store, id, seq).catch(unlessMissing);
    if (entry === undefined || entry.uid !== uid) continue;
    if (entry.kind === 'snapshot') views.push(viewOfSnapshot(entry));
    if (entry.kind === 'created') views.push({ generation: 0, seq, kind: 'golden', capturedAt: entry.at });
  }
  return views;
}

/** An old entry may be collected between the listing and the reading. */
function unlessMissing(error: unknown): undefined {
  if (error instanceof DormouseError && error.code === 'store-object-missing') return undefined;
  throw error;
}

function viewOfSnapshot({ generation, seq, epoch, node, manifest }: SnapshotEntry): GenerationView {
  const { memory, device } = manifest.parts;
  return {
    generation,
    seq,
    kind: 'snapshot',
    capturedAt: manifest.capturedAt,
    epoch,
    node,
    sizes: {
      memoryBytes: manifest.memorySizeBytes,
      shippedBytes: memory.sizeBytes + device.sizeBytes,
      changedPages: manifest.pageCount,
    },
  };
}
