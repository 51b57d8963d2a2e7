/**
 * The second half of a suspend, the same for a VM that was frozen just now and for a capture that has lain on the node:
 *
 *   ship the parts → COMMIT (log entry) → registry: suspending to suspended
 *
 * Before the commit nothing has happened; after it nothing can undo it. A registry that is not told in time finds the
 * generation in the log when the deadline has passed.
 */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ActorRecord, Operation } from '../../shared/registry/records.ts';
import type { SnapshotEntry } from '../../shared/snapshot/actor-log.ts';
import type { Activation } from '../activation/activation.ts';
import type { LocalCapture } from '../activation/local-capture.ts';
import type { NodeContext } from '../node-context.ts';
import type { PhaseClock } from '../sandbox/phase-clock.ts';
import type { Capture } from '../sandbox/sandbox.ts';
import { dropOldGenerations } from '../snapshot/retention.ts';
import { commitSnapshot, shipParts, type Commit } from '../snapshot/ship.ts';
import { doneWith } from './finished.ts';
import { moveActor } from './move-actor.ts';

/** Whose state it is: an activation, or what is left of one that is paused. */
type Origin = Pick<Activation | LocalCapture, 'identity' | 'epoch' | 'template' | 'base'> &
  Partial<Pick<Activation, 'beneath'>>;

const retentionLimitMs = 60_000;
/** Generations after which the log is looked at though the node knows it: fences grow old, and late writers leave entries. */
const lookEvery = 16;

export async function commitCapture(
  context: NodeContext,
  record: ActorRecord,
  origin: Origin,
  capture: Capture,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<SnapshotEntry> {
  const { epoch, template, base } = origin;
  const { id, uid } = record;
  const commit: Commit = {
    ...{ id, uid, epoch, node: context.nodeId },
    generation: record.generation + 1,
    afterSeq: record.logSeq,
  };
  const below = capture.isOnTop ? origin.beneath : undefined;
  if (capture.isOnTop && below === undefined)
    throw new DormouseError('internal', `the capture of ${id} lies over parts that nobody knows`);
  const origins = { runtime: context.sandboxes.runtime, lowers: lowersOf(origin), base: base?.sha256, below };
  const attempt = nextAttempt();
  const manifest = await clock.measure('ship', () =>
    shipParts(context.blobs, commit, attempt, capture, origins, signal),
  );
  const entry = await clock.measure('commit', () => commitSnapshot(context.store, commit, manifest, signal));
  const { pageCount: pages, comparedPages } = capture;
  const partsBelow = below?.length ?? 0;
  const facts = { generation: entry.generation, template: template.spec.name, pages, comparedPages, partsBelow };
  context.log.info({ actorId: id, epoch, ...facts }, 'generation committed');
  return entry;
}

const lowersOf = ({ template }: Origin): Record<string, string> =>
  Object.fromEntries(Object.entries(template.images).map(([container, image]) => [container, image.treeDigest]));

let lastAttempt = 0;
/** Names blobs: a repeated suspend of one activation never writes over what an earlier one may have committed. */
function nextAttempt(): number {
  lastAttempt = Math.max(lastAttempt + 1, Date.now());
  return lastAttempt;
}

/**
 * Tells the registry of a commit, and that the operation is done; says whether it took that. What it does not take, or
 * hear, is found in the log by whoever looks next.
 */
export async function announceGeneration(
  context: NodeContext,
  { identity, epoch, template }: Origin,
  { entry, operation }: { readonly entry: SnapshotEntry; readonly operation: Operation },
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<boolean> {
  const { manifest, generation, seq } = entry;
  const { memory, device } = manifest.parts;
  const update = {
    ...{ generation, generationSeq: seq, logSeq: seq, durableAt: manifest.capturedAt, runtime: manifest.runtime },
    ...{ lastError: undefined, capture: undefined },
    sizes: {
      memoryBytes: manifest.memorySizeBytes,
      shippedBytes: memory.sizeBytes + device.sizeBytes,
      changedPages: manifest.pageCount,
    },
  };
  const move = { id: identity.id, from: ['suspending'], to: 'suspended', epoch, update } as const;
  const reason = `generation ${generation} committed`;
  const told = { reason, phases: clock.phases, operation: doneWith(operation, clock.phases) };
  const outcome = await moveActor(context, { ...move, ...told }, signal);
  tidy(context, identity.id, entry, template.spec.retainGenerations).catch((error: unknown) =>
    context.log.warn({ err: error, actorId: identity.id }, 'old generations were not removed'),
  );
  return outcome === 'moved';
}

/** Removes old generations. Nobody waits for it; the actor may be awake again before it is done. */
async function tidy({ store, knownLogs }: NodeContext, id: string, head: SnapshotEntry, retain: number): Promise<void> {
  const { uid, generation, seq, manifest } = head;
  const known = generation % lookEvery === 0 ? undefined : knownLogs.before(id, uid, seq);
  knownLogs.keep(id, { head, older: undefined });
  const newest = { uid, generation, seq, manifest };
  const { kept } = await dropOldGenerations(store, id, newest, retain, AbortSignal.timeout(retentionLimitMs), known);
  if (knownLogs.isHead(id, head)) knownLogs.keep(id, { head, older: kept });
}
