/**
 * The suspend job: from a running actor to a committed generation.
 *
 *   drain → freeze → capture → ship the parts → COMMIT (log entry) → registry: suspending to suspended → end the VM
 *
 * Before the commit nothing has happened: on a failure the VM, which is still there, runs on and the actor is `running`
 * again. After the commit nothing can undo it: the VM ends and whoever looks finds the generation in the log. Losing the
 * commit to another activation ends this one without a trace.
 */
import { DormouseError, serializeError, toDormouseError } from '../../shared/errors/dormouse-error.ts';
import type { JobOf } from '../../shared/jobs/contracts.ts';
import type { ActorRecord, Phases } from '../../shared/registry/records.ts';
import type { SnapshotEntry } from '../../shared/snapshot/actor-log.ts';
import type { Activation } from '../activation/activation.ts';
import type { NodeContext } from '../node-context.ts';
import { createPhaseClock, type PhaseClock } from '../sandbox/phase-clock.ts';
import { dropOldGenerations } from '../snapshot/retention.ts';
import { commitSnapshot, shipParts, type Commit } from '../snapshot/ship.ts';
import { createTransferFolder } from './transfer-folder.ts';

/** An idle actor whose suspend failed is tried again after this long. */
const retryAfterMs = 10_000;
const retentionLimitMs = 60_000;

export async function suspendActor(context: NodeContext, job: JobOf<'suspend'>, signal: AbortSignal): Promise<Phases> {
  const activation = context.activations.get(job.actorId);
  const record = await context.registry.getActor(job.actorId);
  if (activation?.epoch !== job.epoch || record?.epoch !== job.epoch || record.state !== 'suspending') {
    throw new DormouseError('epoch-stale', `actor ${job.actorId} is no longer being suspended at epoch ${job.epoch}`);
  }
  const clock = createPhaseClock();
  clock.record('queue', Math.max(0, Date.now() - Date.parse(job.requestedAt)));
  let entry: SnapshotEntry;
  try {
    entry = await captureAndCommit(context, record, activation, clock, signal);
  } catch (cause) {
    await recover(context, activation, cause);
    throw cause;
  }
  await settle(context, activation, entry, clock);
  return clock.phases;
}

async function captureAndCommit(
  context: NodeContext,
  record: ActorRecord,
  activation: Activation,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<SnapshotEntry> {
  const { sandbox, base, epoch, identity, template } = activation;
  const outcome = await clock.measure('drain', () => activation.gate.drain(context.drainMs));
  if (outcome === 'cut') context.log.warn({ actorId: identity.id }, 'requests were cut off by a suspend');
  activation.connections.destroy();
  await using folder = await createTransferFolder(context.transferFolder);
  await clock.measure('freeze', () => sandbox.freeze(signal));
  const capture = await clock.measure('capture', () => sandbox.capture(folder.path, base?.path, signal));
  const commit: Commit = {
    id: record.id,
    uid: record.uid,
    epoch,
    node: context.nodeId,
    generation: record.generation + 1,
    afterSeq: record.logSeq,
  };
  const facts = { runtime: context.sandboxes.runtime, lowers: lowersOf(activation), base: base?.sha256 };
  const attempt = Math.floor(Date.now() / 1000); // a repeated suspend of the same activation never reuses a name
  const manifest = await clock.measure('ship', () => shipParts(context.blobs, commit, attempt, capture, facts, signal));
  const entry = await clock.measure('commit', () => commitSnapshot(context.store, commit, manifest, signal));
  context.log.info(
    { actorId: record.id, epoch, generation: entry.generation, template: template.spec.name, pages: capture.pageCount },
    'generation committed',
  );
  return entry;
}

const lowersOf = ({ template }: Activation): Record<string, string> =>
  Object.fromEntries(Object.entries(template.images).map(([container, image]) => [container, image.treeDigest]));

async function settle(
  context: NodeContext,
  activation: Activation,
  entry: SnapshotEntry,
  clock: PhaseClock,
): Promise<void> {
  const { identity, epoch, template } = activation;
  const { manifest } = entry;
  const result = await clock.measure('registry', () =>
    context.registry.transition({
      id: identity.id,
      from: ['suspending'],
      to: 'suspended',
      epoch,
      reason: `generation ${entry.generation} committed`,
      update: {
        generation: entry.generation,
        generationSeq: entry.seq,
        logSeq: entry.seq,
        durableAt: manifest.capturedAt,
        lastError: undefined,
        sizes: {
          memoryBytes: manifest.memorySizeBytes,
          shippedBytes: manifest.parts.memory.sizeBytes + manifest.parts.device.sizeBytes,
          changedPages: manifest.pageCount,
        },
      },
    }),
  );
  if (result.outcome !== 'moved')
    context.log.warn({ actorId: identity.id, epoch, ...result }, 'registry had moved on after a commit');
  context.activations.remove(activation);
  await activation.sandbox[Symbol.asyncDispose]();
  const newest = { uid: identity.uid, generation: entry.generation, seq: entry.seq };
  dropOldGenerations(
    context.store,
    identity.id,
    newest,
    template.spec.retainGenerations,
    AbortSignal.timeout(retentionLimitMs),
  ).catch((error: unknown) =>
    context.log.warn({ err: error, actorId: identity.id }, 'old generations were not removed'),
  );
}

/** Before the commit: run on. A lost commit, a VM that cannot go on: end it; the last generation stands. */
async function recover(context: NodeContext, activation: Activation, cause: unknown): Promise<void> {
  const error = toDormouseError(cause);
  const { identity, epoch, sandbox } = activation;
  context.log.error({ err: error, actorId: identity.id, epoch }, 'suspend failed');
  const lives = error.code !== 'commit-lost' && (await runsOn(context, activation));
  const to = lives ? 'running' : 'suspended';
  const result = await context.registry.transition({
    id: identity.id,
    from: ['suspending'],
    to,
    epoch,
    reason: `suspend failed: ${error.message}`,
    update: { lastError: serializeError(error) },
  });
  if (lives && result.outcome === 'moved') {
    activation.quietUntil = performance.now() + retryAfterMs;
    activation.gate.reopen();
    return;
  }
  context.activations.remove(activation);
  await sandbox[Symbol.asyncDispose]();
}

async function runsOn(context: NodeContext, { sandbox, identity }: Activation): Promise<boolean> {
  const signal = AbortSignal.timeout(retryAfterMs);
  try {
    await sandbox.thaw(signal);
    await sandbox.wake(identity, signal);
    return true;
  } catch (error) {
    context.log.error({ err: error, actorId: identity.id }, 'the actor could not run on');
    return false;
  }
}
