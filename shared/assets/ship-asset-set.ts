/**
 * Asset sets in the object store: `assets/<digest>/<file>`, `set.json` last, so that a set that has one is whole; and
 * `assets/current-<arch>`, the digest of the set staged last. A set goes up once; each file is checked on the way in, and
 * the set becomes visible on the node by a rename.
 *
 * Failures: `asset-invalid` (a file is missing in the store or is not what the set says, naming it), and the store's own.
 */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DormouseError } from '../errors/dormouse-error.ts';
import type { ObjectBody, ObjectStore } from '../object-store/object-store.ts';
import { adoptAssetSet, buildingFolder, openCurrentAssetSet } from './asset-folder.ts';
import { damaged, parseAssetSet, setFileName, verifyAssetSet } from './asset-set.ts';
import type { Architecture, AssetFile, AssetSet } from './asset-set.ts';

/** Files in flight at once: enough to hide a store's round trips, few enough to leave the node its network. */
const laneCount = 4;

export interface ShipOptions {
  readonly signal?: AbortSignal;
  /** Told after each file. */
  readonly onFile?: (done: number, total: number) => void;
}

/** Uploads a set unless the store has it, and makes it the current one of its architecture. */
export async function stageAssetSet(
  store: ObjectStore,
  folder: string,
  options: ShipOptions = {},
): Promise<{ digest: string; uploaded: boolean }> {
  const set = await verifyAssetSet(folder);
  const { digest, arch, files } = set.contents;
  const present = await store.head(objectKey(digest, setFileName), options);
  if (present === undefined) {
    await eachFile(files, options, (file) =>
      store.put(objectKey(digest, file.path), fileBody(set.root, file), options),
    );
    await store.put(objectKey(digest, setFileName), textBody(JSON.stringify(set.contents)), options);
  }
  await store.put(currentKey(arch), textBody(digest), options);
  return { digest, uploaded: present === undefined };
}

/** The digest of the set that was staged last for an architecture, if any was. */
export async function stagedAssetSet(
  store: ObjectStore,
  arch: Architecture,
  options: ShipOptions = {},
): Promise<string | undefined> {
  const present = await store.head(currentKey(arch), options);
  return present && (await store.get(currentKey(arch), options)).toString('utf8').trim();
}

/** Brings a set into the folder of sets, verified, and makes it the current one there. */
export async function fetchAssetSet(
  store: ObjectStore,
  digest: string,
  assetsDir: string,
  options: ShipOptions = {},
): Promise<AssetSet> {
  const json = await store.get(objectKey(digest, setFileName), options);
  const contents = parseAssetSet(json.toString('utf8'), `${store.description} ${digest}`);
  if (contents.digest !== digest) {
    throw new DormouseError('asset-invalid', `the store holds another asset set under the name ${digest}`);
  }
  await using building = await buildingFolder(assetsDir, contents.arch);
  await eachFile(contents.files, options, (file) => fetchFile(store, digest, file, building.path, options));
  await writeFile(path.join(building.path, setFileName), json);
  return await adoptAssetSet(assetsDir, building.path);
}

/** The node's current set; without a usable one, the set that was staged last for the architecture. */
export async function openOrFetchAssetSet(
  store: ObjectStore,
  assetsDir: string,
  arch: Architecture,
  options: ShipOptions = {},
): Promise<AssetSet> {
  try {
    return await openCurrentAssetSet(assetsDir, arch);
  } catch (error) {
    const digest = await stagedAssetSet(store, arch, options);
    if (digest === undefined) throw error;
    return await fetchAssetSet(store, digest, assetsDir, options);
  }
}

async function fetchFile(
  store: ObjectStore,
  digest: string,
  file: AssetFile,
  folder: string,
  options: ShipOptions,
): Promise<void> {
  const target = path.join(folder, file.path);
  await mkdir(path.dirname(target), { recursive: true });
  const arrived = await receive(store, digest, file, target, options);
  if (arrived.sha256 !== file.sha256 || arrived.sizeBytes !== file.sizeBytes) {
    throw damaged(store.description, file, 'has other contents than it should');
  }
  await chmod(target, file.mode);
}

async function receive(store: ObjectStore, digest: string, file: AssetFile, target: string, options: ShipOptions) {
  try {
    return await store.getToFile(objectKey(digest, file.path), target, options);
  } catch (error) {
    if (error instanceof DormouseError && error.code === 'store-object-missing') {
      throw damaged(store.description, file, 'is missing');
    }
    throw error;
  }
}

/** Ends only when no action is under way any more: after a failure the caller removes the folder they write to. */
async function eachFile(
  files: readonly AssetFile[],
  { signal, onFile }: ShipOptions,
  action: (file: AssetFile) => Promise<unknown>,
): Promise<void> {
  const queue = [...files];
  let done = 0;
  const lane = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      signal?.throwIfAborted();
      await action(file);
      onFile?.(++done, files.length);
    }
  };
  const lanes = Array.from({ length: laneCount }, () =>
    lane().catch((error: unknown) => {
      queue.length = 0;
      throw error;
    }),
  );
  const failed = (await Promise.allSettled(lanes)).find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** A store's keys have fewer characters than file names: others become `=XX`, their bytes in hexadecimal. */
export function objectKey(digest: string, file: string): string {
  const segments = file.split('/').map((segment) => segment.replace(/^\.|[^A-Za-z0-9._-]/gu, escapeBytes));
  return ['assets', digest, ...segments].join('/');
}

const escapeBytes = (character: string): string =>
  [...Buffer.from(character)].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');

const currentKey = (arch: Architecture): string => `assets/current-${arch}`;

const fileBody = (root: string, file: AssetFile): ObjectBody => ({
  kind: 'file',
  path: path.join(root, file.path),
  sizeBytes: file.sizeBytes,
});

const textBody = (text: string): ObjectBody => ({ kind: 'bytes', bytes: Buffer.from(text) });
