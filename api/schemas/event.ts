/** State changes as the API tells them, in its stream and to webhooks. */
import { z } from 'zod';
import { eventTypes, phasesSchema, type PlatformEvent } from '../../shared/registry/records.ts';

export const eventTypeSchema = z.enum(eventTypes);

export const eventView = z
  .object({
    id: z.string().meta({ description: 'Its place in the stream: what Last-Event-ID takes' }),
    at: z.string(),
    type: eventTypeSchema,
    actor: z.string().optional(),
    template: z.string().optional(),
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
  return { id, at, type, node, [type]: subject, from, to, cause, epoch, generation, phases };
}

/** What a subscriber wants; an absent part wants everything. */
export interface EventFilter {
  readonly actor?: string | undefined;
  readonly types?: readonly PlatformEvent['type'][] | undefined;
}

export const wants = ({ actor, types }: EventFilter, { type, subject }: PlatformEvent): boolean =>
  (types === undefined || types.includes(type)) && (actor === undefined || (type === 'actor' && subject === actor));
