/** What the registry knows: actors, templates, nodes, operations. The truth about durability is in the store's logs. */
import { z } from 'zod';
import { epochSchema, type Epoch } from '../actor/epoch.ts';
import { actorStates } from '../actor/lifecycle.ts';
import { labelsSchema } from '../actor/names.ts';
import { qualifiedNameSchema } from '../actor/namespace.ts';
import { serializedErrorSchema } from '../errors/dormouse-error.ts';
import { runtimeKeySchema } from '../snapshot/manifest.ts';
import { templateDescriptorSchema } from '../template/golden.ts';
import { templateSpecSchema } from '../template/template-spec.ts';

export const phasesSchema = z.record(z.string(), z.number());
/** Milliseconds by phase name. */
export type Phases = z.infer<typeof phasesSchema>;

export const startKinds = ['cold', 'warm', 'hot'] as const;
export type StartKind = (typeof startKinds)[number];

export const actorRecordSchema = z.object({
  /** Qualified, as every name that is kept (shared/actor/namespace.ts). */
  id: qualifiedNameSchema,
  uid: z.uuid(),
  template: z.string(),
  revision: z.string(),
  state: z.enum(actorStates),
  /** When the state began. */
  since: z.iso.datetime(),
  createdAt: z.iso.datetime(),
  labels: labelsSchema,
  memoryMiB: z.number().int(),
  /** Its first start boots a VM instead of cloning the golden. */
  coldStart: z.boolean(),
  /** Of the present activation, or of the last one. */
  epoch: epochSchema.optional(),
  /** Of the activation before the one that the latest claim began. */
  previousEpoch: epochSchema.optional(),
  node: z.string().optional(),
  /** Where it ran last: what it needs is probably still there. */
  lastNode: z.string().optional(),
  /** Of a paused actor: the state it runs on from, kept by `node` alone. */
  capture: z.object({ epoch: epochSchema, capturedAt: z.iso.datetime(), sizeBytes: z.number().int() }).optional(),
  /** What can load its newest generation; none while that is the template's golden. */
  runtime: runtimeKeySchema.optional(),
  /** Of its latest claim: whoever sends the job of that wake, the operation is one. */
  wakeOperation: z.uuid().optional(),
  /** Set by the first claim in a new life of the registry: what an earlier life gave out must be fenced in the log first. */
  unfenced: z.boolean().optional(),
  /** Newest committed generation; 0 is the template's golden. */
  generation: z.number().int().nonnegative(),
  /** The log entry that holds that generation. */
  generationSeq: z.number().int().positive(),
  /** Highest log entry known. */
  logSeq: z.number().int().positive(),
  /** When the newest durable state was captured. */
  durableAt: z.iso.datetime(),
  /** A transitional state must have ended by then. */
  deadlineAt: z.iso.datetime().optional(),
  /** Why it is in this state, in words. */
  reason: z.string(),
  lastError: serializedErrorSchema.optional(),
  lastStart: z.object({ kind: z.enum(startKinds), at: z.iso.datetime(), phases: phasesSchema }).optional(),
  sizes: z.object({ memoryBytes: z.number(), shippedBytes: z.number(), changedPages: z.number() }).partial().optional(),
});
export type ActorRecord = z.infer<typeof actorRecordSchema>;

export const templateRecordSchema = z.object({
  name: z.string(),
  revision: z.string(),
  spec: templateSpecSchema,
  state: z.enum(['preparing', 'ready', 'failed', 'deleting']),
  since: z.iso.datetime(),
  createdAt: z.iso.datetime(),
  error: serializedErrorSchema.optional(),
  /** Present once `ready`. */
  descriptor: templateDescriptorSchema.optional(),
});
export type TemplateRecord = z.infer<typeof templateRecordSchema>;

export const nodeRecordSchema = z.object({
  id: z.string(),
  /** New at each start of the worker. */
  bootId: z.string(),
  state: z.enum(['ready', 'draining']),
  /** Where the api reaches the actors of this node. */
  ingressUrl: z.url(),
  /** Where the api reaches what is inside of them: programs, files, logs (shared/proto/node.proto). */
  nodeServiceUrl: z.url().optional(),
  /** New at each start of the worker: what an api's passes for it are made from (shared/http/node-pass.ts). A secret. */
  passKey: z.string().optional(),
  runtime: runtimeKeySchema,
  slots: z.number().int(),
  memoryMiB: z.number().int(),
  startedAt: z.iso.datetime(),
});
export type NodeRecord = z.infer<typeof nodeRecordSchema>;

export interface NodeStatus extends NodeRecord {
  /** Milliseconds until others may take the node for dead; 0 when they may already. */
  readonly leaseMs: number;
  readonly usedSlots: number;
  readonly usedMemoryMiB: number;
  /** It has its lease again and has not yet said what it still runs. */
  readonly returning: boolean;
  /** Revisions of the templates that ran there: their images and goldens are probably at hand. */
  readonly revisions: readonly string[];
}

export const operationSchema = z.object({
  id: z.uuid(),
  kind: z.enum(['resume', 'suspend', 'pause', 'delete', 'prepare-template', 'rebuild']),
  /** The actor's id, the template's name, or `registry`. */
  target: z.string(),
  state: z.enum(['queued', 'running', 'done', 'failed']),
  createdAt: z.iso.datetime(),
  /** Over by then, or the reaper ends it. */
  deadlineAt: z.iso.datetime().optional(),
  /** How many nodes it was given to, when more than one. */
  attempts: z.number().int().positive().optional(),
  finishedAt: z.iso.datetime().optional(),
  node: z.string().optional(),
  phases: phasesSchema.optional(),
  /** How many things a rebuild has dealt with, by outcome. */
  counts: z.record(z.string(), z.number()).optional(),
  error: serializedErrorSchema.optional(),
});
export type Operation = z.infer<typeof operationSchema>;

export const eventTypes = ['actor', 'template', 'node'] as const;
export type EventType = (typeof eventTypes)[number];

/** One change of the state of an actor, a template or a node. */
export interface PlatformEvent {
  /** Its place in the stream. Later events have greater ones, and none is given out twice. */
  readonly id: string;
  readonly at: string;
  readonly type: EventType;
  /** The actor's id, the template's name, or the node's id. */
  readonly subject: string;
  /** Undefined for what has just come to be. */
  readonly from: string | undefined;
  readonly to: string;
  readonly cause: string;
  /** The rest only of actors, where it applies. */
  readonly epoch: string | undefined;
  readonly node: string | undefined;
  readonly generation: number | undefined;
  readonly phases: Phases | undefined;
}

/** One past change of an actor's state. */
export interface ActorEvent {
  readonly at: string;
  readonly state: string;
  readonly epoch?: string;
  readonly node?: string;
  readonly reason: string;
}

/** Where an actor has begun to run: enough to send it a call. The ingress refuses what is not so any more. */
export interface Started {
  readonly uid: string;
  readonly epoch: Epoch;
  readonly node: string;
  readonly lastStart: NonNullable<ActorRecord['lastStart']>;
}

/** Sent to the processes that listen when something changed; a hint to look again, never the truth itself. */
export type Change =
  | {
      readonly kind: 'actor';
      readonly id: string;
      readonly state: ActorRecord['state'] | 'gone';
      readonly epoch?: string;
      /** Of a start, that is `running`. */
      readonly started?: Started;
    }
  | FleetChange
  | { readonly kind: 'operation'; readonly id: string; readonly state: string };

/** The few that everybody hears of. */
export type FleetChange =
  | { readonly kind: 'template' | 'node'; readonly id: string; readonly state: string }
  | { readonly kind: 'token'; readonly id: string; readonly state: 'created' | 'revoked' };
