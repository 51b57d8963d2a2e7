/**
 * What travels on a node's queue. Payloads carry ids, never state: the worker reads the registry and the store, and an
 * activation's epoch says whether the job still matters. Checked when enqueued and when received.
 */
import { z } from 'zod';
import { epochSchema } from '../actor/epoch.ts';
import { namespaceOf, qualifiedNameSchema } from '../actor/namespace.ts';
import type { Lane } from './node-line.ts';

const common = {
  operationId: z.uuid(),
  /** After this instant nobody waits for the result any more. */
  deadlineAt: z.iso.datetime(),
  /** When the api decided; the `queue` phase counts from here. */
  requestedAt: z.iso.datetime(),
  /** W3C trace context of the request that caused the job. */
  traceparent: z.string().max(128).optional(),
};

export const jobSchema = z.discriminatedUnion('kind', [
  z.object({
    ...common,
    kind: z.literal('resume'),
    actorId: qualifiedNameSchema,
    epoch: epochSchema,
    /** Of a wake that stands in a lane of the node's line; what else an order says does not depend on it. */
    template: qualifiedNameSchema.optional(),
  }),
  /** Of a running actor, or of a paused one, whose capture is shipped without waking it. */
  z.object({ ...common, kind: z.literal('suspend'), actorId: qualifiedNameSchema, epoch: epochSchema }),
  z.object({ ...common, kind: z.literal('pause'), actorId: qualifiedNameSchema, epoch: epochSchema }),
  /** The registry has the actor in `deleting`; the node ends the VM if it runs there and removes every object. */
  z.object({ ...common, kind: z.literal('delete'), actorId: qualifiedNameSchema }),
  z.object({ ...common, kind: z.literal('prepare-template'), template: qualifiedNameSchema, revision: z.string() }),
]);
export type Job = z.infer<typeof jobSchema>;
export type JobKind = Job['kind'];
export type JobOf<Kind extends JobKind> = Extract<Job, { kind: Kind }>;

/** The lane that a wake was sent in, if it was. */
export const laneOfJob = (job: Job): Lane | undefined =>
  job.kind === 'resume' && job.template !== undefined
    ? { namespace: namespaceOf(job.actorId), template: job.template }
    : undefined;

/** The queue that one node consumes. */
export const queueName = (nodeId: string): string => `node-${nodeId}`;

/**
 * Keeps BullMQ's keys apart from the registry's. A queue's keys share a slot of a Redis Cluster, as BullMQ demands; two
 * queues need not, so the nodes' queues spread over its masters.
 */
export const queuePrefix = (nodeId: string): string => `{dmq:${nodeId}}`;

/**
 * How long each kind of job may take. The worker's own deadline; the registry's deadline for the transitional state is
 * longer by `handoverMs`, so that the worker always gives up before anyone takes over.
 */
export const jobLimitsMs: Readonly<Record<JobKind, number>> = {
  resume: 60_000,
  suspend: 120_000,
  // a suspend without the way to the store
  pause: 90_000,
  delete: 120_000,
  // a first pull of a large image, a cold boot under emulation, and the upload of the golden
  'prepare-template': 600_000,
};
export const handoverMs = 15_000;

/** An operation of the api itself, in which no node has a part: the registry read back from the store. */
const rebuildLimitMs = 3_600_000;

/** How long an operation may take before nobody can be expected to report on it. */
export const operationLimitMs = (kind: JobKind | 'rebuild'): number =>
  kind === 'rebuild' ? rebuildLimitMs : jobLimitsMs[kind];
