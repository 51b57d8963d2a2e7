/** The second part of a rebuild: every actor that its log calls alive is there, at its newest generation. */
import { lastEpochOf, recordFromLog } from '../actor/restored-record.ts';
import { DormouseError, toDormouseError } from '../errors/dormouse-error.ts';
import type { ListedObject } from '../object-store/object-store.ts';
import { inLanes } from '../process/lanes.ts';
import { readHead } from '../snapshot/actor-log.ts';
import { rebuildLanes, type RebuildCounts, type RebuildRun } from './rebuild-run.ts';
import { removeIfOver } from './remove-forgotten.ts';
import type { TemplateMemory } from './restore-templates.ts';

export async function restoreActors(run: RebuildRun, memory: TemplateMemory): Promise<void> {
  const ids = actorIds(run.store.list('actors/', { signal: run.signal }));
  await inLanes(ids, rebuildLanes, async (id) => {
    run.signal.throwIfAborted();
    const outcome = await restoreActor(run, memory, id).catch((error: unknown) => damagedOrThrow(run, id, error));
    if (outcome !== undefined) await run.count(outcome);
  });
}

/** Keys of one folder come together, in every store. */
async function* actorIds(objects: AsyncIterable<ListedObject>): AsyncGenerator<string> {
  let last = '';
  for await (const { key } of objects) {
    const id = key.split('/')[1] ?? '';
    if (id !== last) yield id;
    last = id;
  }
}

/** Undefined for an actor that is deleted. */
async function restoreActor(
  run: RebuildRun,
  memory: TemplateMemory,
  id: string,
): Promise<keyof RebuildCounts | undefined> {
  const head = await readHead(run.store, id, { signal: run.signal });
  const { created, last } = head;
  if (created === undefined) {
    if (last?.kind === 'deleted') return undefined;
    throw new DormouseError('snapshot-missing', `the log of ${id} does not say how the actor began`);
  }
  const memoryMiB = memory.get(`${created.template}/${created.revision}`);
  if (memoryMiB === undefined) {
    throw new DormouseError('snapshot-missing', `the template ${created.template} of the actor ${id} is missing`);
  }
  const record = recordFromLog(created, head, memoryMiB, 'restored from the store');
  const epoch = lastEpochOf(head);
  const outcome = await run.registry.restoreActor({ ...record, ...(epoch !== undefined && { epoch }) });
  // A deletion that ended between our reading and our writing must not be undone.
  if (outcome === 'restored' && (await removeIfOver(run, record))) return undefined;
  return outcome;
}

const damageCodes: ReadonlySet<string> = new Set([
  'snapshot-corrupt',
  'snapshot-unsupported',
  'snapshot-missing',
  'store-object-missing',
]);

function damagedOrThrow(run: RebuildRun, id: string, error: unknown): 'damaged' {
  if (!damageCodes.has(toDormouseError(error).code)) throw error;
  run.log.error({ err: error, actorId: id }, 'actor not restored');
  return 'damaged';
}
