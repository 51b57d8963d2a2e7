/**
 * The local folder of asset sets: `<assetsDir>/<arch>/<digest>/…` and a link `<assetsDir>/<arch>/current` to the one in
 * use. A set becomes visible whole, by a rename; unfinished work has a name that starts with `.building-`.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, realpath, rename, symlink } from 'node:fs/promises';
import path from 'node:path';
import { DormouseError } from '../errors/dormouse-error.ts';
import { removeTree } from '../process/remove-tree.ts';
import { architectures, openAssetSet, verifyAssetSet, type Architecture, type AssetSet } from './asset-set.ts';

const unfinished = '.building-';

/** The architecture of this machine, in Debian's words. */
export function hostArchitecture(): Architecture {
  const known = { x64: 'amd64', arm64: 'arm64' } as const;
  const found = Object.entries(known).find(([name]) => name === process.arch)?.[1];
  if (found === undefined) {
    throw new DormouseError('precondition-missing', `Dormouse runs on amd64 and arm64, not on ${process.arch}`);
  }
  return found;
}

export const setFolder = (assetsDir: string, arch: Architecture, digest: string): string =>
  path.join(assetsDir, arch, digest);

/** Where `current` points; it may not exist. */
export const currentFolder = (assetsDir: string, arch: Architecture): string => path.join(assetsDir, arch, 'current');

/** Opens the set in use, by its final name: the link may move on while VMs still run from the set. */
export const openCurrentAssetSet = async (assetsDir: string, arch: Architecture): Promise<AssetSet> =>
  openAssetSet(await resolvedCurrent(assetsDir, arch));

/** The same, and reads every file. */
export const verifyCurrentAssetSet = async (assetsDir: string, arch: Architecture): Promise<AssetSet> =>
  verifyAssetSet(await resolvedCurrent(assetsDir, arch));

async function resolvedCurrent(assetsDir: string, arch: Architecture): Promise<string> {
  const link = currentFolder(assetsDir, arch);
  return realpath(link).catch(() => link);
}

/** A folder to build a set in, on the same file system as its final place. Disposing it removes what was not adopted. */
export async function buildingFolder(
  assetsDir: string,
  arch: Architecture,
): Promise<{ readonly path: string } & AsyncDisposable> {
  const parent = path.join(assetsDir, arch);
  await mkdir(parent, { recursive: true });
  await removeAbandoned(parent);
  const folder = path.join(parent, `${unfinished}${process.pid}-${randomUUID()}`);
  await mkdir(folder);
  return { path: folder, [Symbol.asyncDispose]: () => removeTree(folder, parent) };
}

/** Folders of builders that were killed: their process is gone. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = name.startsWith(unfinished) ? name.slice(unfinished.length).split('-')[0] : undefined;
    if (pid === undefined) continue;
    const alive = await readFile(`/proc/${pid}/comm`).catch(() => undefined);
    if (alive === undefined) await removeTree(path.join(parent, name), parent);
  }
}

/** Gives a finished set its final name and makes it current. Another builder of the same set may have been first. */
export async function adoptAssetSet(assetsDir: string, building: string): Promise<AssetSet> {
  const { contents } = await openAssetSet(building);
  const target = setFolder(assetsDir, contents.arch, contents.digest);
  try {
    await rename(building, target);
  } catch (error) {
    await replaceUnlessWhole(building, target, error);
  }
  await makeCurrent(assetsDir, contents.arch, contents.digest);
  return openAssetSet(target);
}

async function replaceUnlessWhole(building: string, target: string, renameError: unknown): Promise<void> {
  const whole = await verifyAssetSet(target).catch((error: unknown) => {
    if (error instanceof DormouseError && error.code === 'asset-invalid') return undefined;
    throw renameError;
  });
  if (whole !== undefined) return;
  await removeTree(target, path.dirname(target));
  await rename(building, target);
}

export async function makeCurrent(assetsDir: string, arch: Architecture, digest: string): Promise<void> {
  const link = currentFolder(assetsDir, arch);
  const fresh = `${link}.${randomUUID()}`;
  await symlink(digest, fresh);
  await rename(fresh, link);
}

/** Every set in the folder that opens, and every one that does not, with the reason. */
export async function listAssetSets(
  assetsDir: string,
): Promise<{ arch: Architecture; digest: string; set: AssetSet | DormouseError }[]> {
  const found = [];
  for (const arch of architectures) {
    const names = await readdir(path.join(assetsDir, arch)).catch(() => []);
    for (const digest of names.filter((name) => /^[0-9a-f]{64}$/.test(name)).sort()) {
      const set = await openAssetSet(setFolder(assetsDir, arch, digest)).catch((error: unknown) => {
        if (error instanceof DormouseError) return error;
        throw error;
      });
      found.push({ arch, digest, set });
    }
  }
  return found;
}
