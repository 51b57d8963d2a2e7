/**
 * What an activation starts from: the newest committed generation in the actor's log.
 *
 * In a new life of the registry nobody can say who held the actor before, so the first activation begins with a `fence`
 * entry: what was committed before it counts, and a commit of an earlier activation that is still on its way finds its
 * place taken. Writing it twice is harmless.
 *
 * Failures: `actor-deleted`, `snapshot-missing` (the registry knows of a generation that the log has lost), those of the
 * store.
 */
import { epochBefore, incarnationOf, type Epoch } from '../../shared/actor/epoch.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import type { ActorRecord } from '../../shared/registry/records.ts';
import { appendEntry, readNewest, type NewestState, type SnapshotEntry } from '../../shared/snapshot/actor-log.ts';

export interface DurableState {
  readonly snapshot: SnapshotEntry | undefined;
  readonly generation: number;
  readonly logSeq: number;
}

/** Each lost round means that another writer made progress; more than a few in a row means something is wrong. */
const maxRounds = 10;

export async function durableState(
  store: ObjectStore,
  record: ActorRecord,
  epoch: Epoch,
  signal: AbortSignal,
): Promise<DurableState> {
  const newest =
    record.unfenced === true
      ? await fenceEarlierLives(store, record, epoch, signal)
      : await readNewest(store, record, record.logSeq, { signal });
  const generation = newest.snapshot?.generation ?? 0;
  if (generation < record.generation) {
    const words = `generation ${record.generation} of actor ${record.id} is not in its log any more`;
    throw new DormouseError('snapshot-missing', words, { details: { newest: generation } });
  }
  return { snapshot: newest.snapshot, generation, logSeq: newest.last.seq };
}

async function fenceEarlierLives(
  store: ObjectStore,
  record: ActorRecord,
  epoch: Epoch,
  signal: AbortSignal,
): Promise<NewestState> {
  const { id, uid } = record;
  for (let round = 0; round < maxRounds; round++) {
    const newest = await readNewest(store, record, record.logSeq, { signal });
    if (fences(newest, epoch)) return newest;
    const fencedEpoch = epochBefore(epoch);
    const reason = 'the registry began a new life';
    const entry = { kind: 'fence', uid, fencedEpoch, fencedNode: 'unknown', reason } as const;
    const result = await appendEntry(store, id, newest.last.seq, entry, { signal });
    if (result.outcome === 'committed') return { ...newest, last: result.entry };
  }
  throw new DormouseError('commit-lost', `the log of ${id} grew faster than its fence could be written`);
}

/** An entry of this life of the registry at the head: whatever came before it has lost its place already. */
const fences = ({ last }: NewestState, epoch: Epoch): boolean =>
  last.kind === 'fence' && incarnationOf(last.fencedEpoch) === incarnationOf(epoch);
