/**
 * All that one run found out, as `--json` writes it and as `--compare` reads it: the schema is the contract. A result of
 * another version is refused rather than misread.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';

/** Raised when a reader of the old version could misread the new one. 2: histograms, watch, ladder, leaks. */
export const resultSchemaVersion = 2;

const ms = z.number().min(0);
const phases = z.record(z.string(), z.number());
export const startKindSchema = z.enum(['cold', 'warm', 'hot']);
export type StartKind = z.infer<typeof startKindSchema>;

const sampleSchema = z.object({
  /** The row of the report that it was measured for. */
  series: z.string(),
  actor: z.string(),
  /** When it was meant to be sent. */
  at: z.iso.datetime(),
  /** Answered with 2xx or 3xx. */
  ok: z.boolean(),
  /** From when it was meant to be sent to the last byte answered, at the client. Absent when it was never sent. */
  latencyMs: ms.optional(),
  /** How long after its time the generator sent it; counted in the latency. */
  lateMs: ms.optional(),
  status: z.number().int().optional(),
  /** What the answer says about itself. */
  start: startKindSchema.optional(),
  /** From `Server-Timing`. */
  phases,
  error: z.object({ code: z.string(), message: z.string() }).optional(),
});
export type Sample = z.infer<typeof sampleSchema>;

const summarySchema = z.object({
  name: z.string(),
  /** What its answers should say about their start; without one, any start will do. */
  expects: startKindSchema.optional(),
  calls: z.number().int(),
  succeeded: z.number().int(),
  /** 0 to 1; absent without calls. */
  successRate: z.number().optional(),
  /** Succeeded, but their answers name another start: left out of every figure below. */
  otherStart: z.number().int(),
  /** Calls that the figures below are made of. */
  counted: z.number().int(),
  latencyMs: z.object({
    p50: ms.optional(),
    p90: ms.optional(),
    p95: ms.optional(),
    p99: ms.optional(),
    p999: ms.optional(),
    max: ms.optional(),
  }),
  /** Percentiles and milliseconds, from 0 to 100. */
  curve: z.array(z.tuple([z.number(), ms])),
  /** Median of each phase over the counted calls that have it, in the order the server gave. */
  phasesP50Ms: phases,
  dominating: z.object({ phase: z.string(), p50Ms: ms, share: z.number() }).optional(),
});
export type SeriesSummary = z.infer<typeof summarySchema>;

const sleepSchema = z.object({
  series: z.string(),
  actor: z.string(),
  at: z.iso.datetime(),
  durationMs: ms,
  /** What the suspend sent to the store. */
  shippedBytes: z.number().optional(),
});
export type Sleep = z.infer<typeof sleepSchema>;

const lookSchema = z.object({
  at: z.iso.datetime(),
  nodes: z.array(z.object({ id: z.string(), usedSlots: z.number(), usedMemoryMiB: z.number(), memoryMiB: z.number() })),
  /** Of the api's `/metrics`, when it answers: one sum per metric name. */
  metrics: z.record(z.string(), z.number()),
});
export type Look = z.infer<typeof lookSchema>;

const ladderSchema = z.object({
  steps: z.array(
    z.object({
      ratePerS: z.number(),
      offered: z.number().int(),
      succeeded: z.number().int(),
      p50Ms: ms.optional(),
      p99Ms: ms.optional(),
    }),
  ),
  p50BoundMs: ms,
  knee: z.object({ ratePerS: z.number().optional(), reached: z.boolean(), reason: z.string() }),
});
export type Ladder = z.infer<typeof ladderSchema>;

const leakSchema = z.object({
  /** Sleeps and wakes between the two looks. */
  cycles: z.number().int(),
  seconds: z.number(),
  /** At rest before and after, what may be more afterwards, and whether it is too much. */
  counts: z.array(
    z.object({ name: z.string(), before: z.number(), after: z.number(), allowed: z.number(), grew: z.boolean() }),
  ),
  memory: z.array(
    z.object({
      process: z.string(),
      firstMiB: z.number(),
      lastMiB: z.number(),
      slopeMiBPerMinute: z.number(),
      allowedMiB: z.number(),
      grew: z.boolean(),
      points: z.array(z.tuple([z.number(), z.number()])),
    }),
  ),
  /** What the platform says about itself and what this machine shows; empty when neither was asked for. */
  sources: z.array(z.string()),
});
export type LeakReport = z.infer<typeof leakSchema>;

export const resultSchema = z.object({
  schemaVersion: z.literal(resultSchemaVersion),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  interrupted: z.boolean(),
  /** Of the client, which is the machine of the platform only when the url says so. */
  machine: z.object({
    cpus: z.number(),
    cpuModel: z.string(),
    memoryMiB: z.number(),
    /** Kernel and architecture. */
    platform: z.string(),
    /** Of the last minute: before the run and after it. Other work on the machine shows here. */
    loadAverage: z.array(z.number()),
  }),
  versions: z.object({
    node: z.string(),
    api: z.string().optional(),
    /** Each distinct runtime of the nodes: accelerator, VMM, guest kernel. */
    runtimes: z.array(z.string()),
  }),
  /** Of the sources this program was run from; with `+changes` when they had uncommitted ones. */
  commit: z.string().optional(),
  /** The options of the run; secrets are no options. */
  settings: z.record(z.string(), z.unknown()),
  scenario: z.string(),
  templates: z.array(z.string()),
  /** Calls of the warm-up, which are in no figure. */
  discarded: z.number().int(),
  summaries: z.array(summarySchema),
  ratios: z.array(z.object({ of: z.string(), to: z.string(), value: z.number().optional() })),
  preparations: z.array(z.object({ template: z.string(), file: z.string(), readyMs: ms })),
  ladder: ladderSchema.optional(),
  leaks: leakSchema.optional(),
  /** What was left out, and why. */
  notes: z.array(z.string()),
  sleeps: z.array(sleepSchema),
  looks: z.array(lookSchema),
  /** Every call of a small run; of a large one none, as the notes then say. */
  samples: z.array(sampleSchema),
});
export type RunResult = z.infer<typeof resultSchema>;

export async function readResult(file: string): Promise<RunResult> {
  try {
    return resultSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    const message = `${file} is no result of the load test (schema ${resultSchemaVersion}): ${reason}`;
    throw new DormouseError('invalid-input', message, { cause });
  }
}
