/**
 * The suspend job: from a running actor, or from a paused one, to a committed generation.
 *
 *   running:  drain → freeze → capture ─┐
 *   paused:   (its local capture)  ─────┴► ship → COMMIT → registry: suspending to suspended → end the VM, drop the files
 *
 * Before the commit nothing has happened: on a failure the VM runs on and the actor is `running` again (run-on.ts), or it
 * is `paused` as before. After the commit nothing can undo it: the VM ends and whoever looks finds the generation in the
 * log. Losing the commit to another activation ends this one without a trace.
 */
import type { Epoch } from '../../shared/actor/epoch.ts';
import { DormouseError, serializeError, toDormouseError } from '../../shared/errors/dormouse-error.ts';
import { handoverMs, type JobOf } from '../../shared/jobs/contracts.ts';
import type { ActorRecord, Operation } from '../../shared/registry/records.ts';
import type { SnapshotEntry } from '../../shared/snapshot/actor-log.ts';
import type { Activation } from '../activation/activation.ts';
import { requireIntact, type LocalCapture } from '../activation/local-capture.ts';
import type { NodeContext } from '../node-context.ts';
import { createPhaseClock, type PhaseClock } from '../sandbox/phase-clock.ts';
import { captureActivation } from './capture-activation.ts';
import { announceGeneration, commitCapture } from './commit-capture.ts';
import { goingOn, type Begun, type Finished } from './finished.ts';
import { moveActor } from './move-actor.ts';
import { endActivation, runOn } from './run-on.ts';
import { openTransferFolder } from './transfer-folder.ts';

export async function suspendActor(
  context: NodeContext,
  job: JobOf<'suspend'>,
  { record, operation }: Begun,
  signal: AbortSignal,
): Promise<Finished> {
  const { actorId, epoch } = job;
  const activation = context.activations.get(actorId);
  const local = context.captures.get(actorId, record?.capture?.epoch);
  if (record?.epoch !== epoch || record.state !== 'suspending') throw stale(job);
  const clock = createPhaseClock();
  clock.record('queue', Math.max(0, Date.now() - Date.parse(job.requestedAt)));
  const asked = { record, operation };
  if (activation?.epoch === epoch) return await suspendRunning(context, asked, activation, clock, signal);
  if (local === undefined) throw stale(job);
  return await suspendPaused(context, asked, local, epoch, clock, signal);
}

const stale = ({ actorId, epoch }: JobOf<'suspend'>): DormouseError =>
  new DormouseError('epoch-stale', `actor ${actorId} is no longer being suspended at epoch ${epoch}`);

interface Asked {
  readonly record: ActorRecord;
  readonly operation: Operation;
}

async function suspendRunning(
  context: NodeContext,
  { record, operation }: Asked,
  activation: Activation,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<Finished> {
  using _suspend = context.pool.holdOff();
  let entry: SnapshotEntry;
  await using resources = new AsyncDisposableStack();
  const folder = resources.use(openTransferFolder(context.transferFolder));
  try {
    const options = { mayLieOnTop: activation.beneath !== undefined };
    const capture = await captureActivation(context, activation, folder, clock, signal, options);
    entry = await commitCapture(context, record, activation, capture, clock, signal);
  } catch (cause) {
    await runOn(context, activation, 'suspending', cause);
    throw cause;
  }
  let isTold: boolean;
  try {
    isTold = await announceGeneration(context, activation, { entry, operation }, clock, signal);
  } catch (cause) {
    await endActivation(context, activation);
    throw cause;
  }
  const files = resources.move(); // nobody waits for their end either
  files.defer(() => endActivation(context, activation));
  return { phases: clock.phases, isTold, ending: goingOn(files.disposeAsync()) };
}

async function suspendPaused(
  context: NodeContext,
  { record, operation }: Asked,
  local: LocalCapture,
  epoch: Epoch,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<Finished> {
  // A wake that failed in between has left the capture to a newer epoch, which is the one that may commit.
  const origin = { ...local, epoch };
  let entry: SnapshotEntry;
  try {
    await requireIntact(local);
    entry = await commitCapture(context, record, origin, local.capture, clock, signal);
  } catch (cause) {
    await stayPaused(context, local, epoch, cause);
    throw cause;
  }
  try {
    const isTold = await announceGeneration(context, origin, { entry, operation }, clock, signal);
    return { phases: clock.phases, isTold };
  } finally {
    await context.captures.drop(local);
  }
}

/** Unless the capture is of no use any more: then the last generation stands. */
async function stayPaused(context: NodeContext, local: LocalCapture, epoch: Epoch, cause: unknown): Promise<void> {
  const error = toDormouseError(cause);
  const { identity } = local;
  const useless = ['commit-lost', 'snapshot-missing', 'snapshot-corrupt'].includes(error.code);
  const move = {
    id: identity.id,
    from: ['suspending'],
    to: useless ? 'suspended' : 'paused',
    epoch,
    reason: `suspend failed: ${error.message}`,
    update: { lastError: serializeError(error), ...(useless && { capture: undefined }) },
  } as const;
  await moveActor(context, move, AbortSignal.timeout(handoverMs / 2)).catch((failure: unknown) =>
    context.log.error({ err: failure, actorId: identity.id, epoch }, 'the registry was not told'),
  );
  if (useless) await context.captures.drop(local);
}
