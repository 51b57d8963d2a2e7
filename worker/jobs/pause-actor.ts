/**
 * The pause job: from a running actor to a capture on this node, fast and not durable.
 *
 *   drain → freeze → capture into files of the node → registry: pausing to paused → end the VM
 *
 * Until the registry's move nothing has happened: on a failure the VM, which is still there, runs on (run-on.ts).
 */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { JobOf } from '../../shared/jobs/contracts.ts';
import type { Operation } from '../../shared/registry/records.ts';
import type { Activation } from '../activation/activation.ts';
import type { LocalCapture } from '../activation/local-capture.ts';
import type { NodeContext } from '../node-context.ts';
import { createPhaseClock, type PhaseClock } from '../sandbox/phase-clock.ts';
import { captureActivation } from './capture-activation.ts';
import { doneWith, goingOn, type Begun, type Finished } from './finished.ts';
import { moveActor } from './move-actor.ts';
import { endActivation, runOn } from './run-on.ts';
import { openTransferFolder } from './transfer-folder.ts';

export async function pauseActor(
  context: NodeContext,
  job: JobOf<'pause'>,
  { record, operation }: Begun,
  signal: AbortSignal,
): Promise<Finished> {
  const activation = context.activations.get(job.actorId);
  if (activation?.epoch !== job.epoch || record?.epoch !== job.epoch || record.state !== 'pausing') {
    throw new DormouseError('epoch-stale', `actor ${job.actorId} is no longer being paused at epoch ${job.epoch}`);
  }
  const clock = createPhaseClock();
  clock.record('queue', Math.max(0, Date.now() - Date.parse(job.requestedAt)));
  let local: LocalCapture | undefined;
  try {
    local = await captureLocally(context, activation, clock, signal);
    context.captures.add(local);
    await announcePaused(context, local, operation, clock, signal);
  } catch (cause) {
    if (local !== undefined) await context.captures.drop(local);
    await runOn(context, activation, 'pausing', cause);
    throw cause;
  }
  return { phases: clock.phases, isTold: true, ending: goingOn(endActivation(context, activation)) };
}

async function captureLocally(
  context: NodeContext,
  activation: Activation,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<LocalCapture> {
  using _suspend = context.pool.holdOff();
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(openTransferFolder(context.transferFolder));
  const capture = await captureActivation(context, activation, folder, clock, signal);
  const kept = stack.move();
  const { identity, epoch, template, base } = activation;
  return {
    ...{ identity, epoch, template, base, capture },
    capturedAt: new Date().toISOString(),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function announcePaused(
  context: NodeContext,
  { identity, epoch, capture, capturedAt }: LocalCapture,
  operation: Operation,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<void> {
  const sizeBytes = capture.memory.sizeBytes + capture.device.sizeBytes;
  const move = {
    id: identity.id,
    from: ['pausing'],
    to: 'paused',
    epoch,
    reason: `captured on ${context.nodeId}`,
    phases: clock.phases,
    operation: doneWith(operation, clock.phases),
    update: { capture: { epoch, capturedAt, sizeBytes }, lastError: undefined },
  } as const;
  if ((await moveActor(context, move, signal)) === 'moved') return;
  throw new DormouseError('epoch-stale', `actor ${identity.id} was taken over while it was being paused`);
}
