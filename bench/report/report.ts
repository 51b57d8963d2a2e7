/** All that one run found out: what `--json` writes, and what the texts are made of. */
import { z } from 'zod';

/** Raised when a reader of the old version could misread the new one. */
export const reportSchemaVersion = 1;

export const units = ['ms', 'bytes', 'calls/s', 'MiB', '%'] as const;
export type Unit = (typeof units)[number];

const spreadSchema = z.strictObject({ median: z.number(), p95: z.number() });
export type Spread = z.infer<typeof spreadSchema>;

const figureSchema = spreadSchema.extend({
  /** `<template> <what> [<which part>]`; the raw harness's begin with `<template> raw`. */
  name: z.string().min(1),
  unit: z.enum(units),
  count: z.int().positive(),
  phases: z.record(z.string(), spreadSchema),
});
export type Figure = z.infer<typeof figureSchema>;

const verdictSchema = z.strictObject({
  target: z.string(),
  of: z.string(),
  to: z.string().optional(),
  /** `of` divided by `to`, medians; without `to` there is none. */
  ratio: z.number().optional(),
  wanted: z.string(),
  /** Absent where the target only asks for a report. */
  reached: z.boolean().optional(),
});
export type Verdict = z.infer<typeof verdictSchema>;

export const reportSchema = z.strictObject({
  schemaVersion: z.literal(reportSchemaVersion),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  interrupted: z.boolean(),
  machine: z.strictObject({
    cpus: z.int().positive(),
    cpuModel: z.string(),
    memoryMiB: z.number(),
    /** Kernel and architecture. */
    platform: z.string(),
    /** Of the last minute, before the run and after it: other work on the machine shows here. */
    loadAverage: z.array(z.number()).length(2),
  }),
  versions: z.strictObject({ node: z.string(), runtimes: z.array(z.string()) }),
  /** With `+changes` when the sources had uncommitted ones. */
  commit: z.string().optional(),
  settings: z.strictObject({
    cases: z.array(z.string()),
    templates: z.array(z.string()),
    rounds: z.int().positive(),
    quick: z.boolean(),
    largeMiB: z.int().positive(),
  }),
  figures: z.array(figureSchema),
  verdicts: z.array(verdictSchema),
  failures: z.array(z.string()),
});
export type Report = z.infer<typeof reportSchema>;
