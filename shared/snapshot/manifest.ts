/**
 * What a snapshot is made of and what can load it. The manifest is small and travels inside the log entry that commits
 * it (actors) or inside the golden's descriptor (templates); its parts are objects whose size and sha256 stand here and
 * are checked on the way in.
 */
import { z } from 'zod';
import { keyIdSchema } from '../encryption/key-ring.ts';
import { sealAlgorithm } from '../encryption/sealed-file.ts';
import { DormouseError } from '../errors/dormouse-error.ts';

/** Raised when a reader of the old version could misread the new one. */
export const snapshotFormatVersion = 1;
/** Its parts may be encrypted. A manifest without such parts keeps the version before, which older readers know. */
export const encryptedFormatVersion = 2;
/** Its memory part may hold pages as the words in which they differ from the base's; encrypted or not. */
export const differenceFormatVersion = 3;
/** Its memory part lies over those of earlier generations, and not over the base alone. */
export const chainFormatVersion = 4;
/** Parts of earlier generations that one may lie over: each is one more to fetch and to unpack in a wake. */
export const maxBelow = 3;
const knownFormatVersions: readonly unknown[] = [
  snapshotFormatVersion,
  encryptedFormatVersion,
  differenceFormatVersion,
  chainFormatVersion,
];

/** Far more than any guest has memory (64 GiB), so that a forged manifest cannot make us allocate whatever it says. */
const maxMemoryBytes = 64 * 1024 ** 3;
/** All of it, incompressible, with what the format and the encryption add. */
const maxPartBytes = 2 * maxMemoryBytes;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What must be equal between the node that captured and the node that loads. */
export const runtimeKeySchema = z.object({
  arch: z.enum(['amd64', 'arm64']),
  /** `simulated`: no VM at all (worker/sandbox/simulated). */
  vmm: z.enum(['qemu', 'simulated']),
  vmmVersion: z.string(),
  accelerator: z.enum(['kvm', 'tcg', 'none']),
  machine: z.string(),
  cpuModel: z.string(),
  kernel: z.string(),
  agent: z.string(),
});
export type RuntimeKey = z.infer<typeof runtimeKeySchema>;

export const partSchema = z.object({
  key: z.string().max(512),
  /** Of the object as it is stored, encrypted or not; so is the digest. */
  sizeBytes: z.number().int().nonnegative().max(maxPartBytes),
  sha256,
  /**
   * Absent when the object is stored as it is. Its data key lies beside it (shared/encryption/stored-keys.ts), wrapped
   * by `keyId` when it was written; a rotation may have wrapped it by another one since.
   */
  encryption: z.object({ algorithm: z.literal(sealAlgorithm), keyId: keyIdSchema }).optional(),
});
export type SnapshotPart = z.infer<typeof partSchema>;

const manifestFields = z.object({
  formatVersion: z.literal([
    snapshotFormatVersion,
    encryptedFormatVersion,
    differenceFormatVersion,
    chainFormatVersion,
  ]),
  runtime: runtimeKeySchema,
  memorySizeBytes: z.number().int().positive().max(maxMemoryBytes),
  /** sha256 of the golden's memory part that the pages below differ from; absent in a golden itself. */
  base: sha256.optional(),
  /** Digest of each container's lower as the guest saw it. */
  lowers: z.record(z.string(), z.string()),
  parts: z.object({ memory: partSchema, device: partSchema }),
  /** Memory parts of earlier generations, in the order in which they are laid over the base; the own one comes last. */
  below: z.array(partSchema).min(1).max(maxBelow).optional(),
  /** Pages of 4 KiB carried by the memory part. */
  pageCount: z.number().int().nonnegative(),
  capturedAt: z.iso.datetime(),
});
/** A reader that knows no chains must refuse one, so the version says that there is one; and each begins at a base. */
export const manifestSchema = manifestFields.refine(
  ({ below, formatVersion, base }) =>
    (below !== undefined) === (formatVersion === chainFormatVersion) && (below === undefined || base !== undefined),
  'a chain of parts, its format version and its base belong together',
);
export type SnapshotManifest = z.infer<typeof manifestSchema>;

/** The memory parts in the order in which they are laid over the base. */
export const memoryChain = ({ below, parts }: SnapshotManifest): SnapshotPart[] => [...(below ?? []), parts.memory];

/** Every object that the snapshot needs. */
export const neededParts = (manifest: SnapshotManifest): SnapshotPart[] => [
  ...memoryChain(manifest),
  manifest.parts.device,
];

/** Throws `snapshot-unsupported` for a manifest of a version that this reader does not know; anything else passes. */
export function requireKnownVersion(manifest: unknown, objectKey: string): void {
  if (typeof manifest !== 'object' || manifest === null || !('formatVersion' in manifest)) return;
  const { formatVersion } = manifest;
  if (!Number.isSafeInteger(formatVersion) || knownFormatVersions.includes(formatVersion)) return;
  const words = `the snapshot in ${objectKey} has format version ${String(formatVersion)}`;
  throw new DormouseError('snapshot-unsupported', words, {
    details: { object: objectKey, knows: knownFormatVersions },
  });
}

/**
 * A manifest comes from the store, and whoever can write there must not be able to point one actor at the objects of
 * another, or of another kind. `folder` ends in a slash.
 */
export function requirePartsWithin(manifest: SnapshotManifest, folder: string): void {
  const rest = /^([A-Za-z0-9_=-][A-Za-z0-9._=-]*\/)*(memory|device)$/;
  for (const { key } of neededParts(manifest)) {
    if (key.startsWith(folder) && rest.test(key.slice(folder.length))) continue;
    throw new Error(`its part ${JSON.stringify(key)} lies outside ${folder}`);
  }
}

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
