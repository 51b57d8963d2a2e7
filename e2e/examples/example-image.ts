/**
 * The image of an example as its Dockerfile says, made without a container engine: Debian's packages stand for the base
 * image, COPY and CMD are read from the Dockerfile itself.
 */
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { toolchainPlace } from '../../infra/setup/asset-place.ts';
import { fillDebianRoot } from '../../infra/templates/debian-root.ts';
import { placeFile } from '../../infra/templates/image-files.ts';
import { imageTag, writeImageLayout } from '../../infra/templates/oci-layout.ts';

export const exampleFolder = (name: string): string =>
  fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));

export interface Recipe {
  readonly workingDir: string;
  readonly copied: string;
  readonly command: readonly string[];
}

/** Understands what the examples use, and refuses the rest, so that no line of a Dockerfile is silently left out. */
export function readDockerfile(text: string): Recipe {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const patterns = [
    /^ARG BASE_IMAGE=\S+$/,
    /^FROM \$\{BASE_IMAGE\}$/,
    /^WORKDIR (\S+)$/,
    /^COPY (\S+) \.$/,
    /^EXPOSE \d+$/,
    /^CMD (\[.*\])$/,
  ];
  if (lines.length !== patterns.length) throw new Error(`expected ${patterns.length} lines: ${text}`);
  const [, , workingDir, copied, , command] = lines.map((line, index) => {
    const match = patterns[index]?.exec(line);
    if (!match) throw new Error(`not understood: ${line}`);
    return match[1] ?? '';
  });
  return {
    workingDir: workingDir ?? '',
    copied: copied ?? '',
    command: z
      .array(z.string())
      .min(1)
      .parse(JSON.parse(command ?? '')),
  };
}

/** Returns the image's reference. */
export async function buildExample(name: string, packages: readonly string[], scratch: string): Promise<string> {
  const source = exampleFolder(name);
  const recipe = readDockerfile(await readFile(path.join(source, 'Dockerfile'), 'utf8'));
  const [root, layout] = [path.join(scratch, name, 'root'), path.join(scratch, name, 'layout')];
  await mkdir(root, { recursive: true, mode: 0o755 });
  await fillDebianRoot(
    root,
    packages,
    toolchainPlace(() => undefined),
  );
  await placeFile(path.join(source, recipe.copied), root, path.join(recipe.workingDir, recipe.copied));
  await writeImageLayout(
    root,
    { entrypoint: recipe.command, workingDir: recipe.workingDir, env: ['PATH=/usr/bin:/bin'] },
    layout,
  );
  return `oci:${layout}:${imageTag}`;
}
