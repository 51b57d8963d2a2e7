/** An image as large as people's images get: the counter with gigabytes of data that nothing can compress or share. */
import { createCipheriv, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { imageTag, writeImageLayout } from '../infra/templates/oci-layout.ts';
import { removeTree } from '../shared/process/remove-tree.ts';

const fileBytes = 256 * 1024 * 1024;
const chunk = Buffer.alloc(1024 * 1024);

/** Writes the image below a folder and returns its reference. `base` is an OCI layout whose only image it extends. */
export async function makeLargeImage(folder: string, base: string, sizeBytes: number): Promise<string> {
  const bundle = path.join(folder, 'bundle');
  await execa('umoci', ['raw', 'unpack', '--image', `${base}:${imageTag}`, bundle]);
  const data = path.join(bundle, 'usr/share/ballast');
  await mkdir(data, { recursive: true });
  for (let index = 0; index * fileBytes < sizeBytes; index++) {
    await writeNoise(path.join(data, `block-${index}`), Math.min(fileBytes, sizeBytes - index * fileBytes));
  }
  const layout = path.join(folder, 'large');
  await writeImageLayout(bundle, { entrypoint: ['/counter'] }, layout);
  await removeTree(bundle, folder);
  return `oci:${layout}:${imageTag}`;
}

/** A key stream: as incompressible as random bytes, and several times as quick to make. */
async function writeNoise(file: string, sizeBytes: number): Promise<void> {
  const cipher = createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16));
  function* noise(): Generator<Buffer> {
    for (let done = 0; done < sizeBytes; done += chunk.length) {
      yield cipher.update(chunk.subarray(0, Math.min(chunk.length, sizeBytes - done)));
    }
  }
  await pipeline(Readable.from(noise()), createWriteStream(file));
}
