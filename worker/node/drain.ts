/** Before a worker stops: every actor it runs is suspended to the store, a few at a time, within a limit. */
import { setTimeout as delay } from 'node:timers/promises';
import { requestSuspend } from '../activation/idle.ts';
import type { NodeContext } from '../node-context.ts';

/** How often the remaining actors are looked at. */
const lookEveryMs = 50;

/** Returns the ids of the actors that could not be suspended; they fall back to their last generation. */
export async function suspendAll(context: NodeContext, limitMs: number): Promise<string[]> {
  const deadline = performance.now() + limitMs;
  while (context.activations.all().length > 0 && performance.now() < deadline) {
    const asked = context.activations.all().map((activation) =>
      requestSuspend(context, activation, 'the node is stopping').catch((error: unknown) => {
        context.log.warn({ err: error, actorId: activation.identity.id }, 'suspend not requested');
      }),
    );
    await Promise.all(asked);
    await delay(lookEveryMs);
  }
  return context.activations.all().map((activation) => activation.identity.id);
}
