/**
 * What stands in the guest's root file system: busybox as init and shell, crun with its libraries, the modules that the
 * kernel lacks, the agent, and our init scripts. Built from an unpacked package root into one reproducible archive.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Architecture } from '../../shared/assets/asset-set.ts';
import { libraryClosure } from '../elf/library-closure.ts';
import { writeCpio, type CpioEntry } from './cpio.ts';
import { builtInList, loadModules, type KernelModule } from './modules.ts';

/** Containers need an overlay root and a network card; virtio-rng lets the guest start with the host's entropy. */
const modules = ['overlay', 'virtio_net', 'virtio_rng'];

/** Commands of the init scripts, and those a person needs who looks into a guest by its serial console. */
const applets = ['sh', 'cat', 'echo', 'hostname', 'insmod', 'ip', 'ls', 'mkdir', 'mount', 'ps', 'dmesg', 'poweroff'];

const emptyFolders = ['dev', 'proc', 'sys', 'run', 'tmp', 'root'];
const guestInit = path.join(import.meta.dirname, '../guest-init');

export interface InitramfsParts {
  readonly architecture: Architecture;
  /** Debian packages of the guest's architecture, unpacked. */
  readonly packageRoot: string;
  readonly kernelRelease: string;
  readonly agent: string;
}

export interface Initramfs {
  readonly archive: Buffer;
  /** Files taken out of the package root, relative to it. */
  readonly used: readonly string[];
}

export async function buildInitramfs(parts: InitramfsParts): Promise<Initramfs> {
  const { packageRoot } = parts;
  const modulesDir = path.join(packageRoot, 'usr/lib/modules', parts.kernelRelease);
  const loaded = await loadModules(modulesDir, modules);
  const libraries = await libraryClosure(packageRoot, parts.architecture, ['usr/bin/crun']);
  const programs = ['usr/bin/busybox', 'usr/bin/crun', ...libraries.files];
  const entries = [
    ...(await Promise.all(programs.map((file) => fileEntry(file, path.join(packageRoot, file), 0o755)))),
    await fileEntry('usr/bin/guest-agent', parts.agent, 0o755),
    await fileEntry('etc/inittab', path.join(guestInit, 'inittab'), 0o644),
    await fileEntry('etc/rc', path.join(guestInit, 'rc'), 0o755),
    ...moduleEntries(loaded),
    ...skeleton(),
  ];
  const moduleFiles = [builtInList(modulesDir), ...loaded.map(({ file }) => file)];
  return {
    archive: writeCpio([...parentFolders(entries), ...entries]),
    used: [...programs, ...moduleFiles.map((file) => path.relative(packageRoot, file))],
  };
}

async function fileEntry(entryPath: string, source: string, mode: number): Promise<CpioEntry> {
  return { kind: 'file', path: entryPath, mode, content: await readFile(source) };
}

function moduleEntries(loaded: readonly KernelModule[]): CpioEntry[] {
  const file = (name: string, content: Buffer): CpioEntry => ({
    kind: 'file',
    path: `usr/lib/modules/${name}`,
    mode: 0o644,
    content,
  });
  const order = loaded.map(({ name }) => `${name}.ko\n`).join('');
  return [...loaded.map(({ name, content }) => file(`${name}.ko`, content)), file('order', Buffer.from(order))];
}

function skeleton(): CpioEntry[] {
  const link = (from: string, target: string): CpioEntry => ({ kind: 'link', path: from, target });
  return [
    ...emptyFolders.map((folder): CpioEntry => ({ kind: 'directory', path: folder, mode: 0o755 })),
    // The kernel opens the console for init before anything is mounted on /dev.
    { kind: 'device', path: 'dev/console', mode: 0o600, device: [5, 1] },
    { kind: 'file', path: 'etc/passwd', mode: 0o644, content: Buffer.from('root:x:0:0:root:/root:/bin/sh\n') },
    { kind: 'file', path: 'etc/group', mode: 0o644, content: Buffer.from('root:x:0:\n') },
    link('init', 'usr/bin/busybox'),
    link('bin', 'usr/bin'),
    link('sbin', 'usr/bin'),
    link('lib', 'usr/lib'),
    link('lib64', 'usr/lib64'),
    ...applets.map((name) => link(`usr/bin/${name}`, 'busybox')),
  ];
}

function parentFolders(entries: readonly CpioEntry[]): CpioEntry[] {
  const present = new Set(entries.map((entry) => entry.path));
  const missing = new Set<string>();
  for (const entry of entries) {
    for (let folder = path.dirname(entry.path); folder !== '.'; folder = path.dirname(folder)) {
      if (!present.has(folder)) missing.add(folder);
    }
  }
  return [...missing].map((folder) => ({ kind: 'directory', path: folder, mode: 0o755 }));
}
