/**
 * After a suspend or a pause that failed before it counted: the VM, which is still there, runs on and the actor is
 * `running` again. One that cannot go on ends and falls back, fenced: a commit of it may still be on its way to the store,
 * and must not arrive after somebody else has started. One whose commit was lost to another activation ends without a
 * fence, for that one's entry is the fence. When the registry or the store cannot be told, the deadline leads the actor out.
 */
import { fallBack } from '../../shared/actor/fall-back.ts';
import { serializeError, toDormouseError, type DormouseError } from '../../shared/errors/dormouse-error.ts';
import { handoverMs } from '../../shared/jobs/contracts.ts';
import type { Activation } from '../activation/activation.ts';
import type { NodeContext } from '../node-context.ts';
import { moveActor } from './move-actor.ts';

/** An idle actor whose suspend failed is tried again after this long. */
const retryAfterMs = 10_000;

type Origin = 'suspending' | 'pausing';

export async function runOn(context: NodeContext, activation: Activation, from: Origin, cause: unknown): Promise<void> {
  const error = toDormouseError(cause);
  const { identity, epoch } = activation;
  context.log.error({ err: error, actorId: identity.id, epoch, from }, 'the actor was not put to sleep');
  if (error.code === 'commit-lost') {
    await endActivation(context, activation);
    await move(context, activation, from, 'suspended', error);
  } else if (!(await goesOn(context, activation))) {
    await endActivation(context, activation);
    await fallBackFrom(context, activation, from, error);
  } else if ((await move(context, activation, from, 'running', error)) === 'moved') {
    activation.quietUntil = performance.now() + retryAfterMs;
    activation.gate.reopen();
  } else {
    await endActivation(context, activation);
  }
}

async function move(
  context: NodeContext,
  { identity: { id }, epoch }: Activation,
  from: Origin,
  to: 'running' | 'suspended',
  error: DormouseError,
): Promise<'moved' | 'overtaken'> {
  const update = { lastError: serializeError(error) };
  const transition = { id, from: [from], to, epoch, reason: `${from} failed: ${error.message}`, update } as const;
  return moveActor(context, transition, ownTime()).catch((failure: unknown) => {
    context.log.error({ err: failure, actorId: id, epoch }, 'the registry was not told');
    return 'overtaken' as const;
  });
}

async function fallBackFrom(
  context: NodeContext,
  { identity: { id }, epoch }: Activation,
  from: Origin,
  error: DormouseError,
): Promise<void> {
  const reason = `${from} failed, and it could not run on: ${error.message}`;
  try {
    const record = await context.registry.getActor(id);
    if (record?.epoch !== epoch) return;
    await fallBack({ ...context, record, reason, error: serializeError(error), signal: ownTime() });
  } catch (failure) {
    context.log.error({ err: failure, actorId: id, epoch }, 'the actor did not fall back');
  }
}

/** The job's own time may be over; this has until whoever takes over. */
const ownTime = (): AbortSignal => AbortSignal.timeout(handoverMs / 2);

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
