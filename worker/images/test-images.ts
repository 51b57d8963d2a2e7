/** For tests: small OCI images made with umoci, and a real registry on a free loopback port. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { execa } from 'execa';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { unmountBelow } from './attach-image.ts';

/** A folder that is gone, with all mounts below it, when the test has ended. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-images-'));
  t.after(async () => {
    await unmountBelow(folder);
    await removeTree(folder, tmpdir());
  });
  return folder;
}

/** One layer: files to add (path to content), paths to remove from the layers below. */
export interface TestLayer {
  readonly add?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
}

/** Returns the reference of the image, `oci:<folder>/layout:latest`. */
export async function createTestImage(
  folder: string,
  layers: readonly TestLayer[],
  config: string[] = [],
): Promise<string> {
  const image = `${folder}/layout:latest`;
  await execa('umoci', ['init', '--layout', `${folder}/layout`]);
  await execa('umoci', ['new', '--image', image]);
  for (const [index, layer] of layers.entries()) await addLayer(image, `${folder}/layer-${index}`, layer);
  if (config.length > 0) await execa('umoci', ['config', '--image', image, ...config]);
  return `oci:${image}`;
}

export async function addLayer(image: string, scratch: string, layer: TestLayer): Promise<void> {
  for (const [inner, content] of Object.entries(layer.add ?? {})) {
    const file = path.join(scratch, inner);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  if (layer.add) await execa('umoci', ['insert', '--image', image, scratch, '/']);
  for (const inner of layer.remove ?? []) await execa('umoci', ['insert', '--image', image, '--whiteout', inner]);
}

export interface TestRegistry {
  readonly host: string;
  /** Copies an image there under `name:tag`; returns its `docker://` reference. */
  push(reference: string, nameAndTag: string, format?: 'oci' | 'v2s2'): Promise<string>;
}

export async function startRegistry(t: TestContext): Promise<TestRegistry> {
  const folder = await temporaryFolder(t);
  const configFile = path.join(folder, 'config.yml');
  const storage = `storage: {filesystem: {rootdirectory: ${folder}/data}}`;
  await writeFile(configFile, `version: 0.1\nlog: {level: info}\n${storage}\nhttp: {addr: '127.0.0.1:0'}\n`);
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'docker-registry', 'serve', configFile], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  const host = await listeningAddress(createInterface(child.stderr));
  return {
    host,
    push: async (reference, nameAndTag, format = 'oci') => {
      const target = `docker://${host}/${nameAndTag}`;
      const options = ['--dest-tls-verify=false', '--format', format];
      await execa('skopeo', ['--insecure-policy', 'copy', ...options, '--', reference, target]);
      return target;
    },
  };
}

async function listeningAddress(lines: AsyncIterable<string>): Promise<string> {
  for await (const line of lines) {
    const address = /listening on ([0-9.:]+)/.exec(line)?.[1];
    if (address !== undefined) return address;
  }
  throw new Error('the registry ended before it listened');
}
