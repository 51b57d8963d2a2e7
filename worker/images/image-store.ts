/**
 * The images of one node: each is pulled by digest, unpacked once into `images/<digest>`, and digested as a tree.
 *
 *   blobs/sha256/…        layers and manifests of all images, shared
 *   images/<hex>/         rootfs/ the lower; tree.jsonl its record; image.json, which is believed: the folder is renamed
 *                         into place only when all of it is there
 *   unfinished/<hex>/     work in progress; whoever holds the lock of the digest throws away what it finds there
 *   locks/<hex>
 *
 * Failures: `invalid-input` (reference), `image-unavailable`, `image-invalid`, `lower-mismatch` (the lower on this node is
 * no longer what was digested), or the signal's reason.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';
import { attachRoot, unmountBelow } from './attach-image.ts';
import { lockFile } from './file-lock.ts';
import { runImageTool } from './image-tool.ts';
import { ignoreMissing } from './inside-root.ts';
import { runConfigSchema, type ImageRunConfig } from './manifest.ts';
import { createMountPoints } from './mount-points.ts';
import { pulledTag, pullImage, resolveDigest } from './pull-image.ts';
import { digestPattern, parseReference, type ImageReference } from './reference.ts';
import { createSingleFlight } from './single-flight.ts';
import { createTreeChecker, recordTreeInThread, type TreeChecker } from './tree-thread.ts';

export interface PreparedImage {
  /** As it was asked for. */
  readonly reference: string;
  /** Of the manifest for this architecture, `sha256:…`. */
  readonly digest: string;
  /** The lower: never written to. */
  readonly rootPath: string;
  /** Of the whole unpacked tree: the same on every node. */
  readonly treeDigest: string;
  readonly config: ImageRunConfig;
}

export interface ImageProgress {
  readonly step: 'resolve' | 'pull' | 'unpack' | 'digest' | 'ready';
  readonly detail?: string;
}

export interface PrepareOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: ImageProgress) => void;
}

export interface PinnedImage {
  readonly reference: string;
  readonly digest: string;
}

export interface ImageStore extends AsyncDisposable {
  /** Whatever the reference means now. */
  prepare(reference: string, options: PrepareOptions): Promise<PreparedImage>;
  /** That very manifest; the source is asked only when this node has it not. */
  open(image: PinnedImage, options: PrepareOptions): Promise<PreparedImage>;
  /** Throws `lower-mismatch` when the lower is not what `treeDigest` says. Cheap while nothing was touched. */
  verify(image: PreparedImage, signal: AbortSignal): Promise<void>;
  /** Shows the lower read-only at `<sharedDir>/<containerName>/rootfs` until disposed. */
  attach(image: PreparedImage, sharedDir: string, containerName: string): Promise<AsyncDisposable>;
  /** Detaches whatever a killed process left attached below a folder. */
  sweep(folder: string): Promise<string[]>;
}

export interface ImageStoreOptions {
  /** One per node. */
  readonly dir: string;
  readonly log: Logger;
}

const recordSchema = z.object({
  version: z.literal(1),
  digest: z.string().regex(digestPattern),
  treeDigest: z.string().regex(digestPattern),
  config: runConfigSchema,
});
type ImageRecord = z.infer<typeof recordSchema>;

interface Fetch extends PrepareOptions {
  readonly reference: ImageReference;
  readonly digest: string;
}

export async function createImageStore({ dir, log }: ImageStoreOptions): Promise<ImageStore> {
  const root = path.resolve(dir);
  for (const folder of ['blobs', 'images', 'unfinished', 'locks'])
    await mkdir(path.join(root, folder), { recursive: true });
  const flights = createSingleFlight<ImageRecord>();
  const checker = createTreeChecker();

  const obtain = async (text: string, fetch: Fetch): Promise<PreparedImage> => {
    const record = await flights.run(fetch.digest, fetch.signal, (signal) =>
      ensureImage(root, { ...fetch, signal }, log),
    );
    fetch.onProgress?.({ step: 'ready', detail: record.digest });
    const { digest, treeDigest, config } = record;
    return { reference: text, digest, treeDigest, config, rootPath: path.join(folderOf(root, digest), 'rootfs') };
  };

  return {
    prepare: async (text, options) => {
      const reference = parseReference(text);
      options.onProgress?.({ step: 'resolve' });
      return obtain(text, { ...options, reference, digest: await resolveDigest(reference, options.signal) });
    },
    open: async ({ reference: text, digest }, options) => {
      const reference = parseReference(text);
      if (!digestPattern.test(digest)) throw new DormouseError('invalid-input', `${digest} is not an image digest`);
      return obtain(text, { ...options, reference, digest });
    },
    verify: (image, signal) => verifyLower(image, checker, signal),
    attach: (image, sharedDir, containerName) => attachRoot(image.rootPath, sharedDir, containerName),
    sweep: (folder) => unmountBelow(folder),
    [Symbol.asyncDispose]: () => checker[Symbol.asyncDispose](),
  };
}

const hexOf = (digest: string): string => digest.slice('sha256:'.length);
const folderOf = (root: string, digest: string): string => path.join(root, 'images', hexOf(digest));

async function ensureImage(root: string, fetch: Fetch, log: Logger): Promise<ImageRecord> {
  const folder = folderOf(root, fetch.digest);
  const present = await readRecord(folder);
  if (present) return present;
  await using _lock = await lockFile(path.join(root, 'locks', hexOf(fetch.digest)), fetch.signal);
  const meanwhile = await readRecord(folder);
  if (meanwhile) return meanwhile;
  const unfinished = path.join(root, 'unfinished', hexOf(fetch.digest));
  await removeTree(unfinished, root);
  try {
    const record = await buildImage(root, unfinished, fetch);
    await removeTree(folder, root); // there, but without a record that can be believed
    await rename(unfinished, folder);
    log.info({ digest: record.digest, treeDigest: record.treeDigest }, 'image unpacked');
    return record;
  } finally {
    await removeTree(unfinished, root);
  }
}

async function buildImage(root: string, unfinished: string, fetch: Fetch): Promise<ImageRecord> {
  const { signal, digest } = fetch;
  await checkStillSame(fetch);
  const layout = path.join(unfinished, 'layout');
  const onLine = (detail: string): void => fetch.onProgress?.({ step: 'pull', detail });
  fetch.onProgress?.({ step: 'pull' });
  const config = await pullImage({ ...fetch, layout, blobs: path.join(root, 'blobs'), onLine });
  fetch.onProgress?.({ step: 'unpack' });
  const rootPath = path.join(unfinished, 'rootfs');
  await runImageTool({
    command: ['umoci', 'raw', 'unpack', '--image', `${layout}:${pulledTag}`, rootPath],
    failure: 'image-invalid',
    subject: digest,
    signal,
  });
  await removeTree(layout, unfinished);
  await createMountPoints(rootPath);
  fetch.onProgress?.({ step: 'digest' });
  const { treeDigest } = await recordTreeInThread(rootPath, path.join(unfinished, 'tree.jsonl'), signal);
  const record: ImageRecord = { version: 1, digest, treeDigest, config };
  await writeFile(path.join(unfinished, 'image.json'), JSON.stringify(record));
  return record;
}

/** A registry is asked for the digest itself; a folder has only what it has now. */
async function checkStillSame({ reference, digest, signal }: Fetch): Promise<void> {
  if (reference.transport === 'docker') return;
  const actual = await resolveDigest(reference, signal);
  if (actual === digest) return;
  const message = `${reference.transport}:${reference.folder} holds another image than the one asked for`;
  throw new DormouseError('image-invalid', message, { details: { expected: digest, actual } });
}

/** A record that cannot be read (the machine lost power while it was written) counts as none. */
async function readRecord(folder: string): Promise<ImageRecord | undefined> {
  const text = await readFile(path.join(folder, 'image.json'), 'utf8').catch(ignoreMissing);
  return text ? recordSchema.safeParse(parseJson(text)).data : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

async function verifyLower(image: PreparedImage, checker: TreeChecker, signal: AbortSignal): Promise<void> {
  const recordFile = path.join(path.dirname(image.rootPath), 'tree.jsonl');
  const check = await checker.check(image.rootPath, recordFile, signal);
  if (check.outcome === 'same' && check.treeDigest === image.treeDigest) return;
  const differences = check.outcome === 'different' ? check.differences : [];
  throw new DormouseError('lower-mismatch', `the unpacked image ${image.reference} on this node has changed`, {
    details: { digest: image.digest, expected: image.treeDigest, actual: check.treeDigest, differences },
  });
}
