/**
 * Makes an asset set out of Debian packages and the guest's sources, in these steps: choose and fetch packages, unpack,
 * compile the agent, fill a new folder, describe it, and give it its name by a rename. Nothing of it is visible before the
 * rename; what a killed assembly left behind is removed by the next.
 */
import { mkdir, mkdtemp, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { adoptAssetSet, buildingFolder, verifyCurrentAssetSet } from '../../shared/assets/asset-folder.ts';
import {
  digestOfSet,
  setFileName,
  sha256OfFile,
  type Architecture,
  type AssetDescription,
  type AssetFile,
  type AssetSet,
} from '../../shared/assets/asset-set.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { unpackPackage, type Package } from '../debian/packages.ts';
import { suite } from '../debian/private-apt.ts';
import { agentSourceDigest, buildAgent } from '../guest-build/build-agent.ts';
import { findGo, type GoToolchain } from '../guest-build/go-toolchain.ts';
import { filesBelow } from '../guest-build/source-digest.ts';
import { pinContributions, requireSamePins } from '../manifest/contributions.ts';
import { readManifest, writeManifest, type Pin } from '../manifest/manifest.ts';
import { chooseCurrent, choosePinned, type Chosen } from './choose-packages.ts';
import { fillSet, type Filled } from './fill-set.ts';
import { inputsDigest } from './inputs.ts';
import type { Place } from './place.ts';
import { selections } from './selection.ts';

/** What becomes of the pins that an assembly found: they are compared, or written down. */
type SettlePins = (pins: readonly Pin[]) => Promise<void> | void;

/** Makes the set that the pins describe, unless the current one is that and whole. */
export async function assembleAssetSet(place: Place, arch: Architecture): Promise<AssetSet> {
  const present = await presentSet(place, arch);
  if (present !== undefined) return present;
  const manifest = await readManifest(arch);
  const chosen = await choosePinned(place, arch, manifest.packages);
  return assemble(place, arch, chosen, (pins) => {
    if (chosen.pinned) requireSamePins(manifest, pins);
  });
}

/** Takes the suite's current versions, makes the set, and writes them down as the new pins. */
export async function updatePins(place: Place, arch: Architecture): Promise<AssetSet> {
  const chosen = await chooseCurrent(place, arch);
  return assemble(place, arch, chosen, (pins) =>
    writeManifest({ formatVersion: 1, architecture: arch, suite, packages: [...pins] }),
  );
}

async function presentSet(place: Place, arch: Architecture): Promise<AssetSet | undefined> {
  try {
    const set = await verifyCurrentAssetSet(place.assetsDir, arch);
    if (set.contents.inputsDigest === (await inputsDigest(arch))) return set;
    place.progress(`the ${arch} asset set was made from other sources: assembling a new one`);
  } catch (error) {
    if (!(error instanceof DormouseError) || error.code !== 'asset-invalid') throw error;
    place.progress(`no usable ${arch} asset set yet (${error.message}): assembling one`);
  }
  return undefined;
}

async function assemble(
  place: Place,
  arch: Architecture,
  { packages }: Chosen,
  settlePins: SettlePins,
): Promise<AssetSet> {
  await using building = await buildingFolder(place.assetsDir, arch);
  await using work = await workFolder(place.cacheDir);
  const packageRoot = path.join(work.path, 'root');
  await unpackAll(place, packages, packageRoot);
  const go = await findGo(place);
  place.progress(`compiling the ${arch} guest agent with ${go.version}`);
  const agent = path.join(work.path, 'guest-agent');
  await buildAgent(go, arch, agent);
  place.progress(`putting the ${arch} asset set together`);
  const filled = await fillSet({ architecture: arch, packageRoot, agent, target: building.path });
  const pins = await pinContributions(place.cacheDir, packageRoot, packages, filled.used);
  await settlePins(pins);
  const description = await describe(arch, building.path, filled, pins, go);
  const contents = { ...description, digest: digestOfSet(description) };
  await writeFile(path.join(building.path, setFileName), `${JSON.stringify(contents, null, 1)}\n`);
  return await adoptAssetSet(place.assetsDir, building.path);
}

async function workFolder(cacheDir: string): Promise<{ readonly path: string } & AsyncDisposable> {
  await mkdir(cacheDir, { recursive: true });
  const folder = await mkdtemp(path.join(cacheDir, 'assembly-'));
  return { path: folder, [Symbol.asyncDispose]: () => removeTree(folder, cacheDir) };
}

async function unpackAll(place: Place, packages: readonly Package[], packageRoot: string): Promise<void> {
  place.progress(`unpacking ${packages.length} Debian packages`);
  await mkdir(packageRoot);
  for (const item of packages) await unpackPackage(place.cacheDir, item, packageRoot);
}

async function describe(
  arch: Architecture,
  folder: string,
  filled: Filled,
  pins: readonly Pin[],
  go: GoToolchain,
): Promise<AssetDescription> {
  const { used: _, ...parts } = filled;
  const initramfs = await sha256OfFile(path.join(folder, filled.roles.initramfs));
  return {
    formatVersion: 1,
    arch,
    inputsDigest: await inputsDigest(arch),
    ...parts,
    vmmVersion: vmmVersion(arch, pins),
    agentVersion: initramfs.slice(0, 16),
    agentSource: await agentSourceDigest(),
    goVersion: go.version,
    packages: pins.map(({ name, version, sha256 }) => ({ name, version, sha256 })),
    files: await describeFiles(folder),
  };
}

/** Debian's `1:10.0.13+ds-0+deb13u1` is QEMU 10.0.13. */
function vmmVersion(arch: Architecture, pins: readonly Pin[]): string {
  const owner = pins.find(({ files }) => Object.hasOwn(files, selections[arch].vmm));
  const version = /^(?:\d+:)?(\d+\.\d+\.\d+)/.exec(owner?.version ?? '')?.[1];
  if (version === undefined) throw new DormouseError('asset-invalid', `no version of the VMM in ${owner?.version}`);
  return version;
}

async function describeFiles(folder: string): Promise<AssetFile[]> {
  const files = await filesBelow(folder, () => true);
  return Promise.all(
    files.map(async (file): Promise<AssetFile> => {
      const facts = await stat(path.join(folder, file));
      const sha256 = await sha256OfFile(path.join(folder, file));
      return { path: file, sizeBytes: facts.size, sha256, mode: facts.mode & 0o777 };
    }),
  );
}
