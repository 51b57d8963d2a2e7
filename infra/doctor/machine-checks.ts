/** What the machine must offer: rights, KVM, devices, programs, asset sets, room on disk and in memory. */
import { access, constants, open, readFile, statfs } from 'node:fs/promises';
import path from 'node:path';
import { hostArchitecture, openCurrentAssetSet } from '../../shared/assets/asset-folder.ts';
import { broken, note, ok, type Finding } from './finding.ts';

const setUp = 'Run `npm run setup`.';

export function checkUser(): Finding {
  if (process.getuid?.() === 0) return ok('user', 'root');
  return broken('user', 'not root', 'Network namespaces and mounts need root: run it with sudo.');
}

/** A device that opens proves nothing: what counts is what a node found out by booting a guest since the machine started. */
export async function checkKvm(assetsFolder: string): Promise<Finding> {
  if (!(await can('/dev/kvm', constants.R_OK | constants.W_OK))) {
    const mend = 'Enable (nested) virtualization for this machine; in a container, pass --device /dev/kvm.';
    return note('kvm', 'no usable /dev/kvm: guests are emulated, which works and is slow', mend);
  }
  const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  const file = path.join(assetsFolder, 'accelerator.json');
  const verdict = await readFile(file, 'utf8').then(
    (text) => JSON.parse(text) as { readonly bootId?: string; readonly accelerator?: string },
    () => undefined,
  );
  if (verdict?.bootId !== bootId)
    return note('kvm', '/dev/kvm opens; whether a guest boots is not known yet', 'Run `npm start`.');
  if (verdict.accelerator === 'kvm') return ok('kvm', 'a guest has booted with it');
  const mend = 'Enable nested virtualization of hardware guests, or go on with emulation.';
  return note('kvm', '/dev/kvm opens, but no guest boots with it: guests are emulated', mend);
}

/** Opening it is what tells whether the driver is there. */
export async function checkTun(): Promise<Finding> {
  try {
    await (await open('/dev/net/tun', 'r+')).close();
    return ok('tap device', '/dev/net/tun');
  } catch (error) {
    const says = `/dev/net/tun cannot be opened: ${error instanceof Error ? error.message : String(error)}`;
    return broken('tap device', says, 'Run `modprobe tun`; in a container, pass --device /dev/net/tun.');
  }
}

/** By the Debian package that brings it (infra/setup/debian-packages.sh). */
const tools = {
  'redis-server': 'redis-server',
  nft: 'nftables',
  ip: 'iproute2',
  setpriv: 'util-linux',
  skopeo: 'skopeo',
  umoci: 'umoci',
  tar: 'tar',
  zstd: 'zstd',
} as const;

export async function checkTools(searchPath: string): Promise<Finding> {
  const folders = searchPath.split(path.delimiter);
  const there = async (tool: string): Promise<boolean> =>
    (await Promise.all(folders.map((folder) => can(path.join(folder, tool), constants.X_OK)))).includes(true);
  const missing: string[] = [];
  for (const [tool, debianPackage] of Object.entries(tools)) if (!(await there(tool))) missing.push(debianPackage);
  if (missing.length === 0) return ok('tools', Object.keys(tools).join(', '));
  return broken('tools', `missing: ${missing.join(', ')}`, `${setUp} Or: apt-get install ${missing.join(' ')}`);
}

export async function checkAssets(folder: string): Promise<Finding> {
  try {
    const { contents } = await openCurrentAssetSet(folder, hostArchitecture());
    return ok('assets', `VMM, kernel and agent ${contents.digest.slice(0, 19)}`);
  } catch (error) {
    return broken('assets', error instanceof Error ? error.message : String(error), setUp);
  }
}

/** Packages, asset sets and images of a first set-up; later on, snapshots and logs. */
const firstFreeMiB = 4096;
const laterFreeMiB = 512;

export async function checkDisk(home: string, isSetUp: boolean): Promise<Finding> {
  const folder = await nearestFolder(home);
  const { bavail, bsize } = await statfs(folder);
  const freeMiB = Math.floor((bavail * bsize) / 2 ** 20);
  const neededMiB = isSetUp ? laterFreeMiB : firstFreeMiB;
  const says = `${freeMiB} MiB free where ${home} is`;
  return freeMiB >= neededMiB ? ok('disk', says) : broken('disk', says, `Free at least ${neededMiB} MiB there.`);
}

/** Redis, the api, two workers, and one small actor on each. */
const neededMemoryMiB = 1024;

export async function checkMemory(): Promise<Finding> {
  const [, kibibytes] = /^MemAvailable:\s+(\d+)/m.exec(await readFile('/proc/meminfo', 'utf8')) ?? [];
  const freeMiB = Math.floor(Number(kibibytes) / 1024);
  const says = `${freeMiB} MiB available`;
  if (freeMiB >= neededMemoryMiB) return ok('memory', says);
  return broken('memory', says, `Free at least ${neededMemoryMiB} MiB, or set DORMOUSE_NODE_MEMORY_MIB lower.`);
}

async function nearestFolder(folder: string): Promise<string> {
  for (let at = folder; ; at = path.dirname(at))
    if (at === path.dirname(at) || (await can(at, constants.F_OK))) return at;
}

const can = (file: string, mode: number): Promise<boolean> =>
  access(file, mode).then(
    () => true,
    () => false,
  );
