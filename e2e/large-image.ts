/** Images as people's get: the counter with gigabytes of data that nothing can compress or share; one with many files. */
import { createCipheriv, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { imageTag, writeImageLayout, type ImageRunSettings } from '../infra/templates/oci-layout.ts';
import { removeTree } from '../shared/process/remove-tree.ts';

const fileBytes = 256 * 1024 * 1024;
const chunk = Buffer.alloc(1024 * 1024);

/** Writes the image below a folder and returns its reference. `base` is an OCI layout whose only image it extends. */
export const makeLargeImage = (folder: string, base: string, sizeBytes: number): Promise<string> =>
  extendImage(folder, base, async (root) => {
    const data = path.join(root, 'usr/share/ballast');
    await mkdir(data, { recursive: true });
    for (let index = 0; index * fileBytes < sizeBytes; index++) {
      await writeNoise(path.join(data, `block-${index}`), Math.min(fileBytes, sizeBytes - index * fileBytes));
    }
  });

export const manyFilesFolder = '/usr/share/many';
const filesPerFolder = 100;

/** The same with many small files below `manyFilesFolder`, each of which says which one it is. */
export const makeImageOfFiles = (folder: string, base: string, count: number): Promise<string> =>
  extendImage(folder, base, async (root) => {
    for (let first = 0; first < count; first += filesPerFolder) {
      const into = path.join(root, manyFilesFolder, String(first / filesPerFolder));
      await mkdir(into, { recursive: true });
      const numbers = Array.from({ length: Math.min(filesPerFolder, count - first) }, (_, index) => first + index);
      await Promise.all(numbers.map((number) => writeFile(path.join(into, `${number}.txt`), `file ${number}\n`)));
    }
  });

/** The same programs to run, and some files more. */
async function extendImage(folder: string, base: string, fill: (root: string) => Promise<void>): Promise<string> {
  const root = path.join(folder, 'root');
  await execa('umoci', ['raw', 'unpack', '--image', `${base}:${imageTag}`, root]);
  await fill(root);
  const layout = path.join(folder, 'layout');
  await writeImageLayout(root, await runSettingsOf(base), layout);
  await removeTree(root, folder);
  return `oci:${layout}:${imageTag}`;
}

interface Described {
  readonly digest: string;
}

/** What the only image of an OCI layout starts. */
async function runSettingsOf(layout: string): Promise<ImageRunSettings> {
  const read = async (name: string): Promise<unknown> => JSON.parse(await readFile(path.join(layout, name), 'utf8'));
  const blob = ({ digest }: Described): Promise<unknown> => read(path.join('blobs', digest.replace(':', '/')));
  const { manifests } = (await read('index.json')) as { manifests: [Described] };
  const { config } = (await blob(manifests[0])) as { config: Described };
  const image = (await blob(config)) as { config: { Entrypoint: string[]; WorkingDir?: string; Env?: string[] } };
  const { Entrypoint: entrypoint, WorkingDir: workingDir, Env: env } = image.config;
  return { entrypoint, ...(workingDir !== undefined && { workingDir }), ...(env !== undefined && { env }) };
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
