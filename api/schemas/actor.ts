/** Actors as the API shows and takes them. */
import { z } from 'zod';
import { epochSchema } from '../../shared/actor/epoch.ts';
import { actorStates } from '../../shared/actor/lifecycle.ts';
import { actorIdSchema, labelsSchema, templateNameSchema } from '../../shared/actor/names.ts';
import { inPublicWords, nameOf, namespaceOf } from '../../shared/actor/namespace.ts';
import { serializedErrorSchema } from '../../shared/errors/dormouse-error.ts';
import { phasesSchema, startKinds, type ActorRecord } from '../../shared/registry/records.ts';
import { publicError } from './public-error.ts';

export const actorStateSchema = z.enum(actorStates);

export const actorView = z
  .object({
    id: actorIdSchema,
    namespace: z.string(),
    template: z.string(),
    revision: z.string(),
    state: actorStateSchema,
    since: z.string().meta({ description: 'When it came into its state' }),
    reason: z.string().meta({ description: 'Why it is in its state, in words' }),
    createdAt: z.string(),
    labels: z.record(z.string(), z.string()),
    memoryMiB: z.number().int(),
    coldStart: z.boolean(),
    epoch: epochSchema.optional().meta({ description: 'Of its last activation' }),
    node: z.string().optional().meta({ description: 'Where it is; none while it is suspended' }),
    lastNode: z.string().optional().meta({ description: 'Where it was last' }),
    capture: z
      .object({ capturedAt: z.string(), sizeBytes: z.number().int() })
      .optional()
      .meta({ description: 'Of a paused actor: what its node keeps of it; not durable' }),
    generation: z.number().int().meta({ description: 'The newest durable state; 0 is the golden of its template' }),
    durableAt: z.string().meta({ description: 'When that was captured' }),
    durableAgeMs: z.number().int(),
    deadlineAt: z.string().optional().meta({ description: 'When its present transition must be over' }),
    sizes: z
      .object({ memoryBytes: z.number(), shippedBytes: z.number(), changedPages: z.number() })
      .partial()
      .optional()
      .meta({ description: 'Of the newest generation: `memoryBytes` of the VM, `shippedBytes` in the store' }),
    lastStart: z
      .object({ kind: z.enum(startKinds), at: z.string(), phases: phasesSchema })
      .optional()
      .meta({ description: 'How it woke last, with the milliseconds of each phase' }),
    lastError: serializedErrorSchema.optional(),
  })
  .meta({ id: 'Actor', description: 'A named, stateful program and where its state is' });
export type ActorView = z.infer<typeof actorView>;

export function viewOfActor(record: ActorRecord): ActorView {
  const { uid: _uid, generationSeq: _generationSeq, logSeq: _logSeq, ...rest } = record;
  const { runtime: _runtime, unfenced: _unfenced, ...shown } = rest;
  const namespace = namespaceOf(record.id);
  return {
    ...shown,
    ...{ id: nameOf(record.id), namespace, template: nameOf(record.template) },
    reason: inPublicWords(record.reason, namespace),
    ...(record.lastError !== undefined && { lastError: publicError(record.lastError, namespace) }),
    durableAgeMs: Math.max(0, Date.now() - Date.parse(record.durableAt)),
  };
}

export const actorParams = z.object({ id: actorIdSchema });

export const actorSpecSchema = z
  .strictObject({
    id: actorIdSchema.optional().meta({ description: 'A DNS label; made up when left out' }),
    template: templateNameSchema,
    labels: labelsSchema.default({}),
    coldStart: z.boolean().default(false).meta({ description: 'Its first start boots a VM' }),
  })
  .meta({ id: 'ActorSpec' });
export type ActorSpec = z.infer<typeof actorSpecSchema>;

export const generationView = z
  .object({
    generation: z.number().int(),
    seq: z.number().int(),
    kind: z.enum(['golden', 'snapshot']),
    capturedAt: z.string(),
    epoch: z.string().optional(),
    node: z.string().optional(),
    sizes: z.object({ memoryBytes: z.number(), shippedBytes: z.number(), changedPages: z.number() }).optional(),
  })
  .meta({ id: 'Generation', description: 'A kept snapshot; generation 0 is the golden of the template' });

export const explanationView = z
  .object({
    id: z.string(),
    namespace: z.string(),
    state: actorStateSchema,
    since: z.string(),
    reason: z.string(),
    waitsFor: z.string(),
    until: z.string().optional(),
    then: z.string(),
    lastError: serializedErrorSchema.optional(),
    events: z.array(
      z.object({
        at: z.string(),
        state: z.string(),
        epoch: z.string().optional(),
        node: z.string().optional(),
        reason: z.string(),
      }),
    ),
  })
  .meta({ id: 'Explanation', description: 'Why an actor is in its state, and what happens next' });
