/**
 * An asset set: everything a VM needs that is not the actor's own, in one self-contained folder. `set.json` describes it
 * and is written last; a folder without one is no set.
 *
 * A set is named by its digest: the sha256 of its description, which holds the sha256 of each file, so the name vouches
 * for every byte. `openAssetSet` checks cheaply (each file is there with its size), `verifyAssetSet` reads everything.
 * Both fail with `asset-invalid`, naming the file.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { DormouseError } from '../errors/dormouse-error.ts';

export const setFileName = 'set.json';

export const architectures = ['amd64', 'arm64'] as const;
export type Architecture = (typeof architectures)[number];

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

/** A path inside the set: relative, no way out of it, no segment that a store's keys could not carry. */
const setPathSchema = z
  .string()
  .regex(/^[^/\0]+(\/[^/\0]+)*$/)
  .refine((value) => !value.split('/').some((segment) => segment === '..' || segment === '.'), 'leads out of the set');

const fileSchema = z.strictObject({
  path: setPathSchema,
  sizeBytes: z.int().nonnegative(),
  sha256: sha256Schema,
  mode: z.int().min(0).max(0o777),
});
export type AssetFile = z.infer<typeof fileSchema>;

const descriptionShape = z.strictObject({
  formatVersion: z.literal(1),
  arch: z.enum(architectures),
  /** Digest of what the set was assembled from: pins, guest sources. Tells an assembler that nothing is to do. */
  inputsDigest: sha256Schema,
  /** The files without which no VM starts. */
  roles: z.strictObject({
    vmm: setPathSchema,
    virtiofsd: setPathSchema,
    kernel: setPathSchema,
    initramfs: setPathSchema,
  }),
  /** VMMs that run a guest of another architecture on this set's, by emulation. */
  emulators: z.partialRecord(z.enum(architectures), setPathSchema),
  /** What the set's programs need to run on any glibc distribution. */
  runtime: z.strictObject({
    loader: setPathSchema,
    libraryDirs: z.array(setPathSchema).nonempty(),
    firmwareDirs: z.array(setPathSchema).nonempty(),
  }),
  vmmVersion: z.string().regex(/^\d+\.\d+\.\d+$/),
  kernelRelease: z.string().min(1),
  /** Short digest of the initramfs. */
  agentVersion: z.string().regex(/^[0-9a-f]{16}$/),
  /** Digest of the agent's sources: what the agent itself answers to Hello. */
  agentSource: z.string().regex(/^[0-9a-f]{16}$/),
  goVersion: z.string().min(1),
  packages: z.array(z.strictObject({ name: z.string().min(1), version: z.string().min(1), sha256: sha256Schema })),
  files: z.array(fileSchema),
});

const namesItsFiles = (description: z.infer<typeof descriptionShape>): boolean => {
  const paths = new Set(description.files.map((file) => file.path));
  const named = [...Object.values(description.roles), ...Object.values(description.emulators)];
  return [...named, description.runtime.loader].every((file) => paths.has(file));
};

export const assetDescriptionSchema = descriptionShape.refine(namesItsFiles, 'a role names a file that is not listed');
export type AssetDescription = z.infer<typeof assetDescriptionSchema>;

export const assetSetSchema = descriptionShape
  .extend({ digest: sha256Schema })
  .refine(namesItsFiles, 'a role names a file that is not listed')
  .refine(
    ({ digest, ...description }) => digest === digestOfSet(description),
    'the digest is not that of the contents',
  );
export type AssetSetContents = z.infer<typeof assetSetSchema>;

export interface AssetSet {
  /** Absolute path of the folder. */
  readonly root: string;
  readonly contents: AssetSetContents;
}

/** sha256 over the description as JSON with sorted keys and no blanks, so that any writer gets the same name. */
export function digestOfSet(description: AssetDescription): string {
  return createHash('sha256').update(canonicalJson(description)).digest('hex');
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
}

/** Parses a set.json; `where` names it in the error. */
export function parseAssetSet(json: string, where: string): AssetSetContents {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new DormouseError('asset-invalid', `${where} is not JSON`, { cause });
  }
  const parsed = assetSetSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map((issue) => ({ field: issue.path.join('.'), message: issue.message }));
  throw new DormouseError(
    'asset-invalid',
    `${where} does not describe an asset set: ${z.prettifyError(parsed.error)}`,
    {
      errors,
    },
  );
}

/** Opens a set and checks that each file is there with its size. */
export async function openAssetSet(folder: string): Promise<AssetSet> {
  const root = path.resolve(folder);
  const where = path.join(root, setFileName);
  const json = await readFile(where, 'utf8').catch((cause: unknown) => {
    throw new DormouseError('asset-invalid', `no asset set at ${root}`, { cause, details: { file: setFileName } });
  });
  const set = { root, contents: parseAssetSet(json, where) };
  await Promise.all(set.contents.files.map((file) => checkPresence(root, file)));
  return set;
}

async function checkPresence(root: string, file: AssetFile): Promise<void> {
  const facts = await lstat(path.join(root, file.path)).catch(() => undefined);
  if (facts === undefined) throw damaged(root, file, 'is missing');
  if (!facts.isFile()) throw damaged(root, file, 'is not a regular file');
  if (facts.size !== file.sizeBytes) throw damaged(root, file, `has ${facts.size} bytes instead of ${file.sizeBytes}`);
}

/** Opens a set and reads every file. */
export async function verifyAssetSet(folder: string): Promise<AssetSet> {
  const set = await openAssetSet(folder);
  for (const file of set.contents.files) {
    if ((await sha256OfFile(path.join(set.root, file.path))) !== file.sha256) {
      throw damaged(set.root, file, 'has other contents than it should');
    }
  }
  return set;
}

export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

export const damaged = (where: string, file: AssetFile, reason: string): DormouseError =>
  new DormouseError('asset-invalid', `${file.path} of the asset set in ${where} ${reason}`, {
    details: { file: file.path },
  });
