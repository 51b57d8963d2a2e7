/**
 * Builds the bundled templates' images from their sources into `<cacheDir>/images/<name>` (an OCI layout each) and fills
 * their references into the templates' specifications, which are bodies for `POST /v1/templates`.
 * An image whose sources have not changed since it was built is left alone: nothing is compiled, nothing is fetched.
 * A build is whole or not there: it happens beside its place, under a lock between processes.
 */
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { digestOfFiles, filesBelow } from '../../assets/guest-build/source-digest.ts';
import type { ToolchainPlace } from '../../assets/guest-build/go-toolchain.ts';
import { hostArchitecture } from '../../shared/assets/asset-folder.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { templateSpecSchema, type TemplateSpec } from '../../shared/template/template-spec.ts';
import { lockFile } from '../servers/file-lock.ts';
import { fillCounterRoot } from './counter-image.ts';
import { fillNodeCounterRoot } from './node-counter-image.ts';
import { imageTag, writeImageLayout, type ImageRunSettings } from './oci-layout.ts';

export const bundledTemplates = ['counter', 'node-counter', 'pair'] as const;
export type BundledTemplate = (typeof bundledTemplates)[number];

type BundledImage = 'counter' | 'node-counter';

export interface BuildTemplatesOptions {
  readonly cacheDir: string;
  /** Default: all. */
  readonly names?: readonly BundledTemplate[];
  /** Where compilers and Debian packages come from and are kept. */
  readonly toolchain: Omit<ToolchainPlace, 'progress'>;
  readonly onProgress: (message: string) => void;
}

export interface BuiltTemplate {
  /** By the image's name in this folder. */
  readonly images: Readonly<Record<string, string>>;
  readonly spec: TemplateSpec;
}

const fillRoot: Record<BundledImage, (root: string, toolchain: ToolchainPlace) => Promise<ImageRunSettings>> = {
  counter: fillCounterRoot,
  'node-counter': fillNodeCounterRoot,
};

const sources = import.meta.dirname;
/** What decides an image: its own folder, the lower files, and how images are made here. */
const sharedSources = /^(counter\/lower\/|debian-root\.ts$|image-files\.ts$|oci-layout\.ts$)/;

// Someone else's build of the largest image, a download included.
const lockTimeoutMs = 20 * 60_000;

export async function buildTemplates(options: BuildTemplatesOptions): Promise<Record<string, BuiltTemplate>> {
  const built: Record<string, BuiltTemplate> = {};
  for (const name of options.names ?? bundledTemplates) built[name] = await buildTemplate(name, options);
  return built;
}

async function buildTemplate(name: BundledTemplate, options: BuildTemplatesOptions): Promise<BuiltTemplate> {
  const text = await readFile(path.join(sources, name, 'template.json'), 'utf8');
  const images: Record<string, string> = {};
  for (const [, image = ''] of text.matchAll(/"bundled:([a-z-]+)"/g)) {
    images[image] ??= await buildImage(bundledImage.parse(image), options);
  }
  const filled = text.replace(/"bundled:([a-z-]+)"/g, (_, image: string) => JSON.stringify(images[image]));
  return { images, spec: templateSpecSchema.parse(JSON.parse(filled)) };
}

const bundledImage = z.enum(['counter', 'node-counter']);

/** Returns the image's reference. */
async function buildImage(name: BundledImage, options: BuildTemplatesOptions): Promise<string> {
  const folder = path.resolve(options.cacheDir, 'images');
  const layout = path.join(folder, name);
  const reference = `oci:${layout}:${imageTag}`;
  const inputs = await inputsOf(name);
  if ((await builtFrom(layout)) === inputs) return reference;
  await mkdir(folder, { recursive: true });
  await using _lock = await lockFile(`${layout}.lock`, lockTimeoutMs);
  if ((await builtFrom(layout)) === inputs) return reference;
  const progress = (message: string): void => options.onProgress(`image ${name}: ${message}`);
  await buildInto(name, layout, inputs, { ...options.toolchain, progress });
  return reference;
}

async function buildInto(name: BundledImage, layout: string, inputs: string, toolchain: ToolchainPlace): Promise<void> {
  const folder = path.dirname(layout);
  const building = `${layout}.building`;
  await removeTree(building, folder); // of a builder that was killed
  try {
    const root = path.join(building, 'root');
    await mkdir(root, { recursive: true });
    await chmod(root, 0o755);
    const settings = await fillRoot[name](root, toolchain);
    toolchain.progress('packing');
    const draft = path.join(building, 'layout');
    await writeImageLayout(root, settings, draft);
    await writeFile(path.join(draft, inputsFile), inputs);
    await removeTree(layout, folder);
    await rename(draft, layout);
  } finally {
    await removeTree(building, folder);
  }
}

const inputsFile = 'built-from';

const builtFrom = (layout: string): Promise<string | undefined> =>
  readFile(path.join(layout, inputsFile), 'utf8').catch(() => undefined);

async function inputsOf(name: BundledImage): Promise<string> {
  const decides = (file: string): boolean =>
    (file.startsWith(`${name}/`) || file === `${name}-image.ts` || sharedSources.test(file)) &&
    !/(_test\.go|template\.json)$/.test(file);
  return `${hostArchitecture()} ${await digestOfFiles(sources, await filesBelow(sources, decides))}\n`;
}
