/**
 * The delete job: ends the actor's VM if it runs here (or drops its capture if it is paused here), writes the `deleted` entry, removes every object of this life of
 * the id, then the registry's record. Each step may be repeated; the entry comes first, so a half-done deletion never
 * comes back to life.
 */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { JobOf } from '../../shared/jobs/contracts.ts';
import type { Phases } from '../../shared/registry/records.ts';
import { appendEntry, readHead } from '../../shared/snapshot/actor-log.ts';
import { objectKeys, sequenceOf } from '../../shared/snapshot/object-keys.ts';
import type { NodeContext } from '../node-context.ts';
import { createPhaseClock } from '../sandbox/phase-clock.ts';
import { endActivation } from './run-on.ts';

/** Each lost round means that somebody else appended an entry; more than a few in a row cannot be. */
const maxRounds = 10;

export async function deleteActor(context: NodeContext, job: JobOf<'delete'>, signal: AbortSignal): Promise<Phases> {
  const record = await context.registry.getActor(job.actorId);
  if (record === undefined) return {};
  if (record.state !== 'deleting')
    throw new DormouseError('state-conflict', `actor ${job.actorId} is ${record.state}, not deleting`);
  const clock = createPhaseClock();
  await clock.measure('vmm', () => endHere(context, job.actorId));
  const seq = await clock.measure('commit', () => writeTombstone(context, record.id, record.uid, signal));
  await clock.measure('objects', () => removeObjects(context, record.id, record.uid, seq, signal));
  await context.registry.removeActor(record.id, record.uid);
  return clock.phases;
}

async function endHere(context: NodeContext, actorId: string): Promise<void> {
  const activation = context.activations.get(actorId);
  if (activation !== undefined) {
    context.activations.remove(activation);
    await activation.gate.drain(0);
    await endActivation(context, activation);
  }
  const captures = context.captures.all().filter(({ identity }) => identity.id === actorId);
  for (const capture of captures) await context.captures.drop(capture);
}

/** Returns the log's head, which says that this life is over. */
async function writeTombstone(context: NodeContext, id: string, uid: string, signal: AbortSignal): Promise<number> {
  for (let round = 0; round < maxRounds; round++) {
    const head = await readHead(context.store, id, { signal });
    if (head.created?.uid !== uid) return head.seq;
    const result = await appendEntry(context.store, id, head.seq, { kind: 'deleted', uid }, { signal });
    if (result.outcome === 'committed') return result.entry.seq;
  }
  throw new DormouseError('commit-lost', `the log of ${id} grew faster than its deletion could be written`);
}

async function removeObjects(
  context: NodeContext,
  id: string,
  uid: string,
  headSeq: number,
  signal: AbortSignal,
): Promise<void> {
  const doomed: string[] = [];
  for await (const { key } of context.store.list(objectKeys.actorBlobs(id, uid), { signal })) doomed.push(key);
  for await (const { key } of context.store.list(objectKeys.logFolder(id), { signal })) {
    const seq = sequenceOf(key);
    // The head stays: it is what keeps a late writer of the old life out.
    if (seq !== undefined && seq < headSeq) doomed.push(key);
  }
  for (const key of doomed) await context.store.delete(key, { signal });
}
