/**
 * The last part of a rebuild: an older copy of the registry may hold actors and templates that were deleted since. Only
 * what rests is removed; an activation ends first, by the reaper or by its node, and its end looks at the log.
 */
import type { ActorRecord } from '../registry/records.ts';
import { readHead } from '../snapshot/actor-log.ts';
import { objectKeys } from '../snapshot/object-keys.ts';
import type { RebuildRun } from './rebuild-run.ts';

const pageSize = 200;

export async function removeForgotten(run: RebuildRun): Promise<void> {
  await removeActors(run);
  await removeTemplates(run);
}

async function removeActors(run: RebuildRun): Promise<void> {
  let cursor: string | undefined;
  do {
    run.signal.throwIfAborted();
    const page = await run.registry.listActors({}, pageSize, cursor);
    for (const record of page.items) if (await removeIfOver(run, record)) await run.count('removed');
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}

/** Whether the log says that this life of the id is over; then the record is gone. */
export async function removeIfOver(
  { registry, store, signal, log }: RebuildRun,
  record: ActorRecord,
): Promise<boolean> {
  const { id, uid, state } = record;
  if (state !== 'suspended' && state !== 'failed') return false;
  const head = await readHead(store, id, { signal }).catch((error: unknown) => {
    log.warn({ err: error, actorId: id }, 'log not readable');
    return undefined;
  });
  // A log that is not there at all says nothing: objects were lost, and fsck will say so.
  if (head?.last === undefined || head.created?.uid === uid) return false;
  if (head.created === undefined && head.last.kind !== 'deleted') return false;
  const reason = 'its log says that it was deleted';
  const move = { id, from: ['suspended', 'failed'], to: 'deleting', deadlineMs: 0, reason } as const;
  if ((await registry.transition(move)).outcome !== 'moved') return false;
  await registry.removeActor(id, uid);
  return true;
}

async function removeTemplates(run: RebuildRun): Promise<void> {
  const { registry, store, signal } = run;
  let cursor: string | undefined;
  do {
    const page = await registry.listTemplates(pageSize, cursor);
    for (const { name, revision, state } of page.items) {
      if (state !== 'ready' || (await store.head(objectKeys.template(name, revision), { signal })) !== undefined)
        continue;
      if ((await registry.beginDeleteTemplate(name)) !== 'deleting') continue; // damage, which fsck reports
      await registry.removeTemplate(name);
      await run.count('removed');
    }
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}
