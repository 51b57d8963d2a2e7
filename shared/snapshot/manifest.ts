/**
 * What a snapshot is made of and what can load it. The manifest is small and travels inside the log entry that commits
 * it (actors) or inside the golden's descriptor (templates); its parts are objects whose size and sha256 stand here and
 * are checked on the way in.
 */
import { z } from 'zod';
import { DormouseError } from '../errors/dormouse-error.ts';

/** Raised when a reader of the old version could misread the new one. */
export const snapshotFormatVersion = 1;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What must be equal between the node that captured and the node that loads. */
export const runtimeKeySchema = z.object({
  arch: z.enum(['amd64', 'arm64']),
  vmm: z.literal('qemu'),
  vmmVersion: z.string(),
  accelerator: z.enum(['kvm', 'tcg']),
  machine: z.string(),
  cpuModel: z.string(),
  kernel: z.string(),
  agent: z.string(),
});
export type RuntimeKey = z.infer<typeof runtimeKeySchema>;

export const partSchema = z.object({
  key: z.string().max(512),
  sizeBytes: z.number().int().nonnegative(),
  sha256,
});
export type SnapshotPart = z.infer<typeof partSchema>;

export const manifestSchema = z.object({
  formatVersion: z.literal(snapshotFormatVersion),
  runtime: runtimeKeySchema,
  memorySizeBytes: z.number().int().positive(),
  /** sha256 of the golden's memory part that the pages below differ from; absent in a golden itself. */
  base: sha256.optional(),
  /** Digest of each container's lower as the guest saw it. */
  lowers: z.record(z.string(), z.string()),
  parts: z.object({ memory: partSchema, device: partSchema }),
  /** Pages of 4 KiB carried by the memory part. */
  pageCount: z.number().int().nonnegative(),
  capturedAt: z.iso.datetime(),
});
export type SnapshotManifest = z.infer<typeof manifestSchema>;

/** The runtime fields that differ, as `field: needs X, has Y`; empty when the node can load it. */
export function incompatibilities(needs: RuntimeKey, has: RuntimeKey): string[] {
  const fields = Object.keys(needs) as (keyof RuntimeKey)[];
  return fields
    .filter((field) => needs[field] !== has[field])
    .map((field) => `${field}: needs ${needs[field]}, has ${has[field]}`);
}

export function requireCompatible(needs: RuntimeKey, has: RuntimeKey): void {
  const differences = incompatibilities(needs, has);
  if (differences.length === 0) return;
  throw new DormouseError('incompatible', `this node cannot load the snapshot (${differences.join('; ')})`, {
    details: { needs, has },
  });
}
