/** What of OCI (and Docker's older, equal in shape) manifests, indexes and image configurations is read here. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { digestPattern } from './reference.ts';

const descriptorSchema = z.object({ digest: z.string().regex(digestPattern) });

export const manifestSchema = z.object({ config: descriptorSchema, layers: z.array(descriptorSchema) });

const platformSchema = z.object({ os: z.string(), architecture: z.string() });
export const indexSchema = z.object({
  manifests: z.array(descriptorSchema.extend({ platform: platformSchema.optional() })),
});

const list = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? []);

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');

const imageConfigSchema = z.object({
  os: z.string(),
  architecture: z.string(),
  config: z.object({ Entrypoint: list, Cmd: list, Env: list, User: text, WorkingDir: text }).nullish(),
});

/** How an image says it wants to be run. Lists are empty where the image says nothing. */
export const runConfigSchema = z.object({
  entrypoint: z.array(z.string()),
  cmd: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  user: z.string(),
  workingDir: z.string(),
});
export type ImageRunConfig = z.infer<typeof runConfigSchema>;

const architectures: Partial<Record<NodeJS.Architecture, string>> = { x64: 'amd64', arm64: 'arm64' };

/** This machine's architecture, in the words of image manifests. */
export const imageArchitecture: string = architectures[process.arch] ?? process.arch;

export const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** The digest of the manifest for this machine: of the bytes themselves, or of the one that an index of several names. */
export function selectManifest(raw: Uint8Array, subject: string): string {
  const value = parseJson(raw, subject);
  if (manifestSchema.safeParse(value).success) return digestOf(raw);
  const index = indexSchema.safeParse(value);
  if (!index.success) throw new DormouseError('image-invalid', `${subject}: neither an image manifest nor an index`);
  const fits = index.data.manifests.find(
    ({ platform }) => platform?.os === 'linux' && platform.architecture === imageArchitecture,
  );
  if (fits) return fits.digest;
  const offered = index.data.manifests.map(({ platform }) =>
    platform ? `${platform.os}/${platform.architecture}` : '?',
  );
  throw new DormouseError('image-invalid', `${subject}: no image for linux/${imageArchitecture}`, {
    details: { offered },
  });
}

export function parseRunConfig(raw: Uint8Array, subject: string): ImageRunConfig {
  const parsed = imageConfigSchema.safeParse(parseJson(raw, subject));
  if (!parsed.success) {
    throw new DormouseError('image-invalid', `${subject}: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  }
  const { os, architecture, config } = parsed.data;
  if (os !== 'linux' || architecture !== imageArchitecture) {
    throw new DormouseError('image-invalid', `${subject} is for ${os}/${architecture}, not linux/${imageArchitecture}`);
  }
  return {
    entrypoint: config?.Entrypoint ?? [],
    cmd: config?.Cmd ?? [],
    env: Object.fromEntries((config?.Env ?? []).map(splitVariable)),
    user: config?.User ?? '',
    workingDir: config?.WorkingDir ?? '',
  };
}

function splitVariable(assignment: string): [string, string] {
  const equals = assignment.indexOf('=');
  return equals < 0 ? [assignment, ''] : [assignment.slice(0, equals), assignment.slice(equals + 1)];
}

function parseJson(raw: Uint8Array, subject: string): unknown {
  try {
    return JSON.parse(Buffer.from(raw).toString()) as unknown;
  } catch (cause) {
    throw new DormouseError('image-invalid', `${subject}: its manifest is not JSON`, { cause });
  }
}
