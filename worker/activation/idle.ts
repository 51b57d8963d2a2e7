/**
 * Scale to zero: an actor with no request, stream or WebSocket for its `idleTimeoutMs` is suspended by its own node. No
 * caller is needed, and none is asked.
 */
import { randomUUID } from 'node:crypto';
import { handoverMs, jobLimitsMs } from '../../shared/jobs/contracts.ts';
import type { NodeContext } from '../node-context.ts';
import type { Activation } from './activation.ts';

/** How late an idle actor may be noticed. */
const lookEveryMs = 250;

export function watchIdleness(context: NodeContext): Disposable {
  const asking = new Set<Activation>();
  const look = (): void => {
    for (const activation of context.activations.all()) {
      if (asking.has(activation) || !isIdle(activation)) continue;
      asking.add(activation);
      requestSuspend(context, activation, 'idle')
        .catch((error: unknown) =>
          context.log.warn({ err: error, actorId: activation.identity.id }, 'idle suspend not requested'),
        )
        .finally(() => asking.delete(activation));
    }
  };
  const timer = setInterval(look, lookEveryMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

const isIdle = ({ gate, template, quietUntil }: Activation): boolean =>
  gate.idleMs() >= template.spec.idleTimeoutMs && performance.now() >= quietUntil;

/** Moves the actor to `suspending` and queues the job. Does nothing when somebody else was first. */
export async function requestSuspend(
  context: NodeContext,
  { identity, epoch }: Pick<Activation, 'epoch'> & { readonly identity: { readonly id: string } },
  reason: string,
  from: 'running' | 'paused' = 'running',
): Promise<void> {
  const limitMs = jobLimitsMs.suspend;
  const result = await context.registry.transition({
    id: identity.id,
    from: [from],
    to: 'suspending',
    epoch,
    deadlineMs: limitMs + handoverMs,
    reason,
  });
  if (result.outcome !== 'moved') return;
  const requestedAt = new Date();
  const job = {
    kind: 'suspend',
    actorId: identity.id,
    epoch,
    operationId: randomUUID(),
    requestedAt: requestedAt.toISOString(),
    deadlineAt: new Date(requestedAt.getTime() + limitMs).toISOString(),
  } as const;
  await context.sender.send(context.nodeId, job);
}
