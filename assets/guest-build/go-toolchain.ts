/**
 * The Go compiler for the guest agent: the one on the PATH if it is new enough, else Debian's, unpacked into the cache.
 * Failure: as private-apt.ts.
 */
import { execa } from 'execa';
import { mkdir, readdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { hostArchitecture } from '../../shared/assets/asset-folder.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import type { Mirror } from '../debian/apt-sources.ts';
import { downloadPackages, resolveClosure, unpackPackage } from '../debian/packages.ts';
import { openPrivateApt } from '../debian/private-apt.ts';
import type { Progress } from '../progress.ts';

/** The `go` line of guest-agent/go.mod: what Debian trixie has. */
const minimum = [1, 24] as const;

export interface GoToolchain {
  readonly command: string;
  readonly version: string;
}

export interface ToolchainPlace {
  readonly cacheDir: string;
  readonly findMirror: () => Promise<Mirror>;
  readonly progress: Progress;
}

export async function findGo(place: ToolchainPlace): Promise<GoToolchain> {
  const installed = await probe('go');
  if (installed !== undefined && isNewEnough(installed.version)) return installed;
  const kept = path.join(place.cacheDir, 'go');
  return (await probeFetched(kept)) ?? (await fetchGo(place, kept));
}

async function probe(command: string): Promise<GoToolchain | undefined> {
  const result = await execa(command, ['env', 'GOVERSION'], { env: { GOTOOLCHAIN: 'local' }, reject: false });
  return result.failed ? undefined : { command, version: result.stdout.trim() };
}

export function isNewEnough(version: string): boolean {
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined || minor === undefined) return false;
  return Number(major) > minimum[0] || (Number(major) === minimum[0] && Number(minor) >= minimum[1]);
}

/** Debian's layout: usr/lib/go-1.24 links into usr/share/go-1.24, both inside what was unpacked. */
async function probeFetched(kept: string): Promise<GoToolchain | undefined> {
  const versions = await readdir(path.join(kept, 'usr/lib')).catch(() => []);
  const root = versions.find((name) => /^go-\d/.test(name));
  return root === undefined ? undefined : probe(path.join(kept, 'usr/lib', root, 'bin/go'));
}

async function fetchGo(place: ToolchainPlace, kept: string): Promise<GoToolchain> {
  place.progress('no Go compiler found: fetching the one of Debian');
  const apt = await openPrivateApt(path.join(place.cacheDir, 'apt'), hostArchitecture(), await place.findMirror());
  await apt.run('apt-get', ['update', '-qq']);
  const closure = await resolveClosure(apt, ['golang-go']);
  const packages = closure.filter(({ name }) => /^golang-\d+\.\d+-(go|src)$/.test(name));
  await downloadPackages(apt, place.cacheDir, packages, place.progress);
  const unpacking = `${kept}-${process.pid}`;
  await mkdir(unpacking, { recursive: true });
  try {
    for (const item of packages) await unpackPackage(place.cacheDir, item, unpacking);
    await removeTree(kept, place.cacheDir);
    await rename(unpacking, kept);
  } finally {
    await removeTree(unpacking, place.cacheDir);
  }
  const toolchain = await probeFetched(kept);
  if (toolchain === undefined) throw new DormouseError('assets-unavailable', "Debian's Go compiler does not run here");
  return toolchain;
}
