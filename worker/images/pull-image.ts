/**
 * Fetches an image with skopeo. Each pull has a small OCI layout of its own whose `blobs` is a link to the node's one blob
 * folder: layers are shared by all images, and parallel pulls never write the same index. skopeo checks every blob
 * against its digest and renames it into place, so a blob that is there is whole.
 * Failures: `image-unavailable` (cannot be fetched), `image-invalid` (fetched, but not what was asked for or not for us).
 */
import { mkdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { runImageTool } from './image-tool.ts';
import {
  imageArchitecture,
  indexSchema,
  manifestSchema,
  parseRunConfig,
  selectManifest,
  type ImageRunConfig,
} from './manifest.ts';
import { isLoopbackRegistry, skopeoSource, type ImageReference } from './reference.ts';

/** The tag under which a pull's layout holds its one image. */
export const pulledTag = 'image';

const tlsOption = (reference: ImageReference, option: string): string[] =>
  isLoopbackRegistry(reference) ? [`--${option}=false`] : [];

/** The digest of the manifest that the source has for this machine now. */
export async function resolveDigest(reference: ImageReference, signal: AbortSignal): Promise<string> {
  const source = skopeoSource(reference);
  const raw = await runImageTool({
    command: ['skopeo', 'inspect', '--raw', ...tlsOption(reference, 'tls-verify'), '--', source],
    failure: 'image-unavailable',
    subject: source,
    signal,
  });
  return selectManifest(raw, source);
}

export interface Pull {
  readonly reference: ImageReference;
  readonly digest: string;
  /** A new folder; holds the pull's layout afterwards. */
  readonly layout: string;
  readonly blobs: string;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

export async function pullImage({ reference, digest, layout, blobs, signal, onLine }: Pull): Promise<ImageRunConfig> {
  await mkdir(layout, { recursive: true });
  await symlink(path.resolve(blobs), path.join(layout, 'blobs'));
  const source = skopeoSource(reference, digest);
  const platform = ['--override-os', 'linux', '--override-arch', imageArchitecture];
  // Layers stay as they are: compressing them only to unpack them again would cost time and change digests.
  const options = ['--dest-oci-accept-uncompressed-layers', ...tlsOption(reference, 'src-tls-verify')];
  await runImageTool({
    command: [
      'skopeo',
      ...platform,
      '--insecure-policy',
      'copy',
      ...options,
      '--',
      source,
      `oci:${layout}:${pulledTag}`,
    ],
    failure: 'image-unavailable',
    subject: source,
    signal,
    onLine,
  });
  return readRunConfig(layout, source);
}

async function readRunConfig(layout: string, subject: string): Promise<ImageRunConfig> {
  const blob = (digest: string): Promise<Buffer> => readFile(path.join(layout, 'blobs', ...digest.split(':')));
  try {
    const index = indexSchema.parse(JSON.parse(await readFile(path.join(layout, 'index.json'), 'utf8')));
    const [descriptor] = index.manifests;
    if (descriptor === undefined) throw new Error('the pulled layout is empty');
    const manifest = manifestSchema.parse(JSON.parse((await blob(descriptor.digest)).toString()));
    return parseRunConfig(await blob(manifest.config.digest), subject);
  } catch (cause) {
    if (cause instanceof DormouseError) throw cause;
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new DormouseError('image-invalid', `${subject}: ${words}`, { cause });
  }
}
