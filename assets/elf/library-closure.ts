/**
 * The libraries that programs of an unpacked package root need, by following DT_NEEDED. Everything must come out of that
 * root: a set whose program would look at the host for a library is refused.
 */
import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Architecture } from '../../shared/assets/asset-set.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { neededLibraries } from './elf.ts';

interface Layout {
  /** Where each architecture's ABI fixes its dynamic loader. */
  readonly loader: string;
  readonly libraryDirs: readonly string[];
}

export const libraryLayout: Readonly<Record<Architecture, Layout>> = {
  amd64: { loader: 'usr/lib64/ld-linux-x86-64.so.2', libraryDirs: ['usr/lib/x86_64-linux-gnu'] },
  arm64: { loader: 'usr/lib/ld-linux-aarch64.so.1', libraryDirs: ['usr/lib/aarch64-linux-gnu'] },
};

export interface LibraryClosure {
  readonly loader: string;
  /** Loader and libraries, relative to the root. */
  readonly files: readonly string[];
}

export async function libraryClosure(
  root: string,
  architecture: Architecture,
  programs: readonly string[],
): Promise<LibraryClosure> {
  const { loader, libraryDirs } = libraryLayout[architecture];
  const found = new Map<string, string>([[path.basename(loader), loader]]);
  const queue = [...programs];
  for (let program = queue.pop(); program !== undefined; program = queue.pop()) {
    for (const name of neededLibraries(await readFile(path.join(root, program)))) {
      if (found.has(name)) continue;
      const file = await findLibrary(root, libraryDirs, name, program);
      found.set(name, file);
      queue.push(file);
    }
  }
  return { loader, files: [...found.values()].sort() };
}

async function findLibrary(root: string, dirs: readonly string[], name: string, neededBy: string): Promise<string> {
  for (const dir of dirs) {
    const candidate = path.join(dir, name);
    const present = await access(path.join(root, candidate)).then(
      () => true,
      () => false,
    );
    if (present) return candidate;
  }
  throw new DormouseError('asset-invalid', `no package holds ${name}, which ${neededBy} needs`, {
    details: { library: name, neededBy },
  });
}
