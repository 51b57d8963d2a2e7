/**
 * The last word of a job: the registry's move, asked for until there is an answer or the job's time is over. An answer
 * that was lost is told by the state itself, for whoever holds the epoch is the only one to make this move.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Epoch } from '../../shared/actor/epoch.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { Transition } from '../../shared/registry/registry.ts';
import type { NodeContext } from '../node-context.ts';

/** Short, because the actor's callers wait for it; a Redis that restarts is back within seconds. */
const retryEveryMs = 200;

/** Returns 'overtaken' when the epoch, or the state, is no longer ours to change. Throws what Redis failed with last. */
export async function moveActor(
  { registry, log }: Pick<NodeContext, 'registry' | 'log'>,
  transition: Transition & { readonly epoch: Epoch },
  signal: AbortSignal,
): Promise<'moved' | 'overtaken'> {
  const { id, epoch, to, operation } = transition;
  for (let asked = 1; ; asked++) {
    try {
      const result = await registry.transition(transition);
      if (result.outcome === 'moved') return 'moved';
      const wasOurs = asked > 1 && result.outcome === 'refused' && result.state === to && result.epoch === epoch;
      if (!wasOurs) {
        log.warn({ actorId: id, epoch, to, ...result }, 'the registry had moved on');
        return 'overtaken';
      }
      // Somebody else may have led it there.
      if (operation !== undefined) await registry.putOperation(operation);
      return 'moved';
    } catch (error) {
      const isLost = error instanceof DormouseError && error.code === 'registry-unavailable';
      if (!isLost || signal.aborted) throw error;
      log.warn({ actorId: id, epoch, to, err: error }, 'no answer from the registry, asking again');
      await delay(retryEveryMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
