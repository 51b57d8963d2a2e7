/**
 * The kernel modules of the guest, in the order they must be loaded. Debian's packages carry no modules.dep (it is made at
 * installation), so the dependencies are read from the modules themselves.
 */
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { decompressXz } from '../kernel/vmlinux.ts';

export interface KernelModule {
  readonly name: string;
  readonly file: string;
  readonly content: Buffer;
}

/** Loads the named modules and what they depend on; a module that is built into the kernel is left out. */
export async function loadModules(modulesDir: string, wanted: readonly string[]): Promise<KernelModule[]> {
  const files = await moduleFiles(modulesDir);
  const builtIn = new Set((await readFile(builtInList(modulesDir), 'utf8')).split('\n').map(moduleName));
  const ordered = new Map<string, KernelModule>();
  const visit = async (name: string): Promise<void> => {
    if (ordered.has(name) || builtIn.has(name)) return;
    const file = files.get(name);
    if (file === undefined) throw new DormouseError('asset-invalid', `the kernel has no module ${name}`);
    const content = await readModule(file);
    for (const dependency of moduleDependencies(content)) await visit(dependency);
    ordered.set(name, { name, file, content });
  };
  for (const name of wanted) await visit(name);
  return [...ordered.values()];
}

export const builtInList = (modulesDir: string): string => path.join(modulesDir, 'modules.builtin');

async function moduleFiles(modulesDir: string): Promise<Map<string, string>> {
  const entries = await readdir(modulesDir, { recursive: true, withFileTypes: true });
  const modules = entries.filter((entry) => entry.isFile() && /\.ko(\.xz)?$/.test(entry.name));
  return new Map(modules.map((entry) => [moduleName(entry.name), path.join(entry.parentPath, entry.name)]));
}

/** `virtio-rng.ko.xz` and `virtio_rng` are the same module to the kernel. */
const moduleName = (file: string): string =>
  path
    .basename(file)
    .replace(/\.ko(\.xz)?$/, '')
    .replaceAll('-', '_');

async function readModule(file: string): Promise<Buffer> {
  const content = await readFile(file);
  return file.endsWith('.xz') ? decompressXz(content) : content;
}

/** The `depends=` string of the module's .modinfo section: names joined by commas, ended by a zero byte. */
export function moduleDependencies(content: Buffer): string[] {
  const key = Buffer.from('\0depends=');
  const at = content.indexOf(key);
  if (at < 0) return [];
  const start = at + key.length;
  const names = content.toString('ascii', start, content.indexOf(0, start));
  return names
    .split(',')
    .filter((name) => name !== '')
    .map((name) => name.replaceAll('-', '_'));
}
