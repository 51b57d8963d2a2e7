/** State changes as the API tells them, in its stream and to webhooks. */
import { z } from 'zod';
import { inPublicWords, nameOf, namespaceOf } from '../../shared/actor/namespace.ts';
import { eventTypes, phasesSchema, type PlatformEvent } from '../../shared/registry/records.ts';

export const eventTypeSchema = z.enum(eventTypes);

export const eventView = z
  .object({
    id: z.string().meta({ description: 'Its place in the stream: what Last-Event-ID takes' }),
    at: z.string(),
    type: eventTypeSchema,
    actor: z.string().optional(),
    template: z.string().optional(),
    namespace: z.string().optional().meta({ description: 'Of the actor or the template; none of a node' }),
    node: z.string().optional().meta({ description: 'Of a node, itself; of an actor, where it is or was' }),
    from: z.string().optional().meta({ description: 'Absent for what has just come to be' }),
    to: z.string().meta({ description: 'The state now; `gone` for what no longer exists' }),
    cause: z.string(),
    epoch: z.string().optional(),
    generation: z.number().int().optional(),
    phases: phasesSchema.optional().meta({ description: 'Milliseconds of the steps that led to this state' }),
  })
  .meta({ id: 'Event', description: 'A change of the state of an actor, a template or a node' });
type EventView = z.infer<typeof eventView>;

export function viewOfEvent(event: PlatformEvent): EventView {
  const { id, at, type, subject, from, to, cause, epoch, node, generation, phases } = event;
  const changed = { id, at, type, from, to, epoch, generation, phases };
  if (type === 'node') return { ...changed, node: subject, cause };
  const namespace = namespaceOf(subject);
  return { ...changed, node, [type]: nameOf(subject), namespace, cause: inPublicWords(cause, namespace) };
}

/** What a subscriber may hear of. */
export interface EventScope {
  /** Undefined: all of them. */
  readonly namespace?: string | undefined;
  /** Nodes are the platform's. */
  readonly nodes: boolean;
}

export const mayHear = ({ namespace, nodes }: EventScope, { type, subject }: PlatformEvent): boolean =>
  type === 'node' ? nodes : namespace === undefined || namespaceOf(subject) === namespace;

/** What a subscriber wants; an absent part wants everything. */
export interface EventFilter extends EventScope {
  readonly actor?: string | undefined;
  readonly types?: readonly PlatformEvent['type'][] | undefined;
}

export function wants(filter: EventFilter, event: PlatformEvent): boolean {
  const { actor, types } = filter;
  if (!mayHear(filter, event)) return false;
  if (types !== undefined && !types.includes(event.type)) return false;
  return actor === undefined || (event.type === 'actor' && nameOf(event.subject) === actor);
}
