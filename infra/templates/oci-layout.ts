/**
 * Writes an image of one layer as an OCI layout. The same files give the same bytes: entries sorted, owned by root, times
 * at zero, and the layer not compressed (it stays on this machine, and compressors differ from version to version).
 * https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { hostArchitecture } from '../../shared/assets/asset-folder.ts';

export const imageTag = 'latest';

export interface ImageRunSettings {
  readonly entrypoint: readonly string[];
  readonly workingDir?: string;
  readonly env?: readonly string[];
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const mediaType = (name: string): string => `application/vnd.oci.image.${name}`;

/** `layout` is a new folder. Returns the digest of the image's manifest. */
export async function writeImageLayout(root: string, settings: ImageRunSettings, layout: string): Promise<string> {
  await mkdir(path.join(layout, 'blobs/sha256'), { recursive: true });
  const layer = await writeLayer(root, layout);
  const config = await writeBlob(layout, mediaType('config.v1+json'), imageConfig(settings, layer.digest));
  const manifest = await writeBlob(layout, mediaType('manifest.v1+json'), {
    schemaVersion: 2,
    mediaType: mediaType('manifest.v1+json'),
    config,
    layers: [layer],
  });
  const annotations = { 'org.opencontainers.image.ref.name': imageTag };
  const index = { schemaVersion: 2, manifests: [{ ...manifest, annotations }] };
  await writeFile(path.join(layout, 'index.json'), JSON.stringify(index));
  await writeFile(path.join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  return manifest.digest;
}

const imageConfig = ({ entrypoint, workingDir, env }: ImageRunSettings, layerDigest: string): object => ({
  os: 'linux',
  architecture: hostArchitecture(),
  config: {
    Entrypoint: entrypoint,
    ...(workingDir === undefined ? {} : { WorkingDir: workingDir }),
    ...(env === undefined ? {} : { Env: env }),
  },
  rootfs: { type: 'layers', diff_ids: [layerDigest] },
});

const reproducible = [
  '--sort=name',
  '--mtime=@0',
  '--owner=0',
  '--group=0',
  '--numeric-owner',
  '--format=gnu',
] as const;

async function writeLayer(root: string, layout: string): Promise<Descriptor> {
  const draft = path.join(layout, 'layer.tar');
  await execa('tar', ['--create', '--file', draft, '--directory', root, ...reproducible, '.'], {
    env: { LC_ALL: 'C' },
  });
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(draft)) hash.update(chunk as Buffer);
  const hex = hash.digest('hex');
  const { size } = await stat(draft);
  await rename(draft, path.join(layout, 'blobs/sha256', hex));
  return { mediaType: mediaType('layer.v1.tar'), digest: `sha256:${hex}`, size };
}

async function writeBlob(layout: string, type: string, content: object): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(content));
  const hex = createHash('sha256').update(bytes).digest('hex');
  await writeFile(path.join(layout, 'blobs/sha256', hex), bytes);
  return { mediaType: type, digest: `sha256:${hex}`, size: bytes.length };
}
