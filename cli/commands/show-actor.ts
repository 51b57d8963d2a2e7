/** How one actor is shown. */
import type { Actor } from '../../sdk/actor-shapes.ts';
import type { Terminal } from '../terminal.ts';
import { phaseText } from './follow-operation.ts';

export function showActorOn(terminal: Terminal, actor: Actor): void {
  const { lastStart, lastError } = actor;
  terminal.show(actor, {
    actor: actor.id,
    namespace: actor.namespace,
    template: actor.template,
    state: actor.state,
    since: actor.since,
    reason: actor.reason,
    node: actor.node,
    epoch: actor.epoch,
    generation: actor.generation,
    durableAt: actor.durableAt,
    labels: actor.labels,
    sizes: actor.sizes,
    lastStart: lastStart && `${lastStart.kind} at ${lastStart.at} (${phaseText(lastStart.phases)})`,
    lastError: lastError && `${lastError.code}: ${lastError.message}`,
  });
}
