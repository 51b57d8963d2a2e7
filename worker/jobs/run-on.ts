/**
 * After a suspend or a pause that failed before it counted: the VM, which is still there, runs on and the actor is
 * `running` again. One that cannot go on, or whose commit was lost to another activation, ends; its last generation
 * stands. When not even the registry can be told, the VM ends as well, and the deadline leads the actor out.
 */
import { serializeError, toDormouseError } from '../../shared/errors/dormouse-error.ts';
import { handoverMs } from '../../shared/jobs/contracts.ts';
import type { Activation } from '../activation/activation.ts';
import type { NodeContext } from '../node-context.ts';
import { moveActor } from './move-actor.ts';

/** An idle actor whose suspend failed is tried again after this long. */
const retryAfterMs = 10_000;

export async function runOn(
  context: NodeContext,
  activation: Activation,
  from: 'suspending' | 'pausing',
  cause: unknown,
): Promise<void> {
  const error = toDormouseError(cause);
  const { identity, epoch } = activation;
  context.log.error({ err: error, actorId: identity.id, epoch, from }, 'the actor was not put to sleep');
  const lives = error.code !== 'commit-lost' && (await goesOn(context, activation));
  const move = {
    id: identity.id,
    from: [from],
    to: lives ? 'running' : 'suspended',
    epoch,
    reason: `${from} failed: ${error.message}`,
    update: { lastError: serializeError(error) },
  } as const;
  // The job's own time may be over; this has until whoever takes over.
  const outcome = await moveActor(context, move, AbortSignal.timeout(handoverMs / 2)).catch((failure: unknown) => {
    context.log.error({ err: failure, actorId: identity.id, epoch }, 'the registry was not told');
    return 'overtaken';
  });
  if (lives && outcome === 'moved') {
    activation.quietUntil = performance.now() + retryAfterMs;
    activation.gate.reopen();
  } else {
    await endActivation(context, activation);
  }
}

/** Takes the activation out of the ingress and ends its VM. Harmless when that has happened. */
export async function endActivation(context: NodeContext, activation: Activation): Promise<void> {
  context.activations.remove(activation);
  activation.connections.destroy();
  await activation.sandbox[Symbol.asyncDispose]();
}

async function goesOn(context: NodeContext, { sandbox, identity }: Activation): Promise<boolean> {
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
