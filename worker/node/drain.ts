/** Before a worker stops: every actor it runs or keeps paused is suspended to the store, within a limit. */
import { setTimeout as delay } from 'node:timers/promises';
import { requestSuspend } from '../activation/idle.ts';
import type { NodeContext } from '../node-context.ts';

/** How often the remaining actors are looked at. */
const lookEveryMs = 50;
const why = 'the node is stopping';

/** Returns the ids of the actors that could not be suspended; they fall back to their last generation. */
export async function suspendAll(context: NodeContext, limitMs: number): Promise<string[]> {
  const deadline = performance.now() + limitMs;
  const left = (): string[] => [
    ...context.activations.all().map(({ identity }) => identity.id),
    ...context.captures.all().map(({ identity }) => identity.id),
  ];
  while (left().length > 0 && performance.now() < deadline) {
    const asked = [
      ...context.activations.all().map((activation) => requestSuspend(context, activation, why)),
      ...context.captures.all().map(({ identity }) => suspendPaused(context, identity.id)),
    ];
    for (const outcome of await Promise.allSettled(asked)) {
      if (outcome.status === 'rejected') context.log.warn({ err: outcome.reason as unknown }, 'suspend not requested');
    }
    await delay(lookEveryMs);
  }
  return left();
}

/** Under the actor's present epoch: a wake that failed may have followed the one it was paused in. */
async function suspendPaused(context: NodeContext, id: string): Promise<void> {
  const record = await context.registry.getActor(id);
  if (record?.state !== 'paused' || record.epoch === undefined) return;
  await requestSuspend(context, { identity: { id }, epoch: record.epoch }, why, 'paused');
}
