/**
 * Ends an activation that somebody else must declare over: its node is gone, its transition is overdue, or the worker
 * that held it has restarted. Two steps, in this order:
 *
 *   1. a `fence` entry after the log's head, create-only: from then on a late commit of the old activation finds its place
 *      taken. If a commit was there first, it counts, and the fence comes after it.
 *   2. the registry's move to `suspended` at the newest committed generation, refused unless the epoch is still the one
 *      that was fenced.
 *
 * Repeating it is harmless. Failures: those of the store and of the registry; then nothing but the fence has happened.
 */
import { DormouseError, type SerializedError } from '../errors/dormouse-error.ts';
import type { CallOptions, ObjectStore } from '../object-store/object-store.ts';
import type { ActorRecord } from '../registry/records.ts';
import type { ActorRegistry, ActorUpdate } from '../registry/registry.ts';
import { appendEntry, readHead, type LogHead } from '../snapshot/actor-log.ts';
import type { ActorState } from './lifecycle.ts';

export interface FallBack extends CallOptions {
  readonly store: ObjectStore;
  readonly registry: Pick<ActorRegistry, 'transition' | 'removeActor'>;
  /** As read from the registry: names the activation that is declared over. */
  readonly record: ActorRecord;
  /** In words; kept in the log and in the registry. */
  readonly reason: string;
  /** What the callers who wait for this activation are told; none after a clean restart. */
  readonly error?: SerializedError;
}

export type FallBackResult =
  | { readonly outcome: 'suspended'; readonly generation: number }
  /** The registry had moved on: the activation ended by itself, or another one has begun. */
  | { readonly outcome: 'overtaken' }
  /** The log says that the actor (or this life of its id) is deleted: it was taken out of the registry. */
  | { readonly outcome: 'gone' };

/** Every state in which an activation may hold the actor: once fenced, it is over in whichever of them it is. */
const heldStates = ['resuming', 'running', 'pausing', 'paused', 'suspending'] as const satisfies readonly ActorState[];

/** Each lost round means that another writer made progress; more than a few in a row means something is wrong. */
const maxRounds = 10;

export async function fallBack(request: FallBack): Promise<FallBackResult> {
  const { registry, record, reason, error } = request;
  if (record.epoch === undefined) return { outcome: 'overtaken' };
  const head = await fence(request, record.epoch);
  if (head === undefined) return removeDeleted(request, record.epoch);
  const result = await registry.transition({
    id: record.id,
    from: heldStates,
    to: 'suspended',
    epoch: record.epoch,
    reason,
    // A capture that a node kept belongs to the activation that is over.
    update: { ...headUpdate(record, head), capture: undefined, ...(error === undefined ? {} : { lastError: error }) },
  });
  if (result.outcome !== 'moved') return { outcome: 'overtaken' };
  return { outcome: 'suspended', generation: head.snapshot?.generation ?? 0 };
}

/** What the registry should say about an actor whose log ends in `head`. */
export function headUpdate(record: ActorRecord, head: LogHead): ActorUpdate {
  const { seq, snapshot } = head;
  if (snapshot === undefined) {
    return { generation: 0, generationSeq: head.created?.seq ?? record.generationSeq, logSeq: seq };
  }
  const { manifest } = snapshot;
  return {
    generation: snapshot.generation,
    generationSeq: snapshot.seq,
    logSeq: seq,
    durableAt: manifest.capturedAt,
    runtime: manifest.runtime,
    sizes: {
      memoryBytes: manifest.memorySizeBytes,
      shippedBytes: manifest.parts.memory.sizeBytes + manifest.parts.device.sizeBytes,
      changedPages: manifest.pageCount,
    },
  };
}

/** Appends the fence unless it stands already. Returns the head with it, or undefined when this life of the id is over. */
async function fence({ store, record, reason, signal }: FallBack, epoch: string): Promise<LogHead | undefined> {
  const options = signal === undefined ? {} : { signal };
  const fencedNode = record.node ?? 'unknown';
  for (let round = 0; round < maxRounds; round++) {
    const head = await readHead(store, record.id, options);
    if (head.created?.uid !== record.uid) return undefined;
    if (head.last?.kind === 'fence' && head.last.fencedEpoch === epoch) return head;
    const entry = { kind: 'fence', uid: record.uid, fencedEpoch: epoch, fencedNode, reason } as const;
    const result = await appendEntry(store, record.id, head.seq, entry, options);
    if (result.outcome === 'committed') return { ...head, seq: result.entry.seq, last: result.entry };
  }
  throw new DormouseError('commit-lost', `the log of ${record.id} grew faster than its fence could be written`);
}

async function removeDeleted({ registry, record, reason }: FallBack, epoch: string): Promise<FallBackResult> {
  await registry.transition({ id: record.id, from: heldStates, to: 'deleting', epoch, reason, deadlineMs: 0 });
  await registry.removeActor(record.id, record.uid);
  return { outcome: 'gone' };
}
