/**
 * How to start a program of an asset set: through the set's own dynamic loader and libraries, so that it runs the same on
 * any glibc distribution, whatever is installed there.
 */
import path from 'node:path';
import { DormouseError } from '../errors/dormouse-error.ts';
import type { Architecture, AssetSet } from './asset-set.ts';

export type Program = 'vmm' | 'virtiofsd' | { readonly emulatorOf: Architecture };

/** The first words of the command line; append the program's own arguments. */
export function programCommand(set: AssetSet, program: Program): [file: string, ...args: string[]] {
  const { loader, libraryDirs } = set.contents.runtime;
  const libraries = libraryDirs.map((dir) => path.join(set.root, dir)).join(':');
  return [
    path.join(set.root, loader),
    // Without the host's cache a library that the set lacks is an error here, not a chance find there.
    '--inhibit-cache',
    '--library-path',
    libraries,
    path.join(set.root, programPath(set, program)),
  ];
}

function programPath(set: AssetSet, program: Program): string {
  if (typeof program === 'string') return set.contents.roles[program];
  const { arch, emulators, roles } = set.contents;
  const emulator = program.emulatorOf === arch ? roles.vmm : emulators[program.emulatorOf];
  if (emulator === undefined) {
    throw new DormouseError('asset-invalid', `the ${arch} asset set cannot emulate ${program.emulatorOf}`);
  }
  return emulator;
}

/** QEMU's `-L` arguments: firmware and option ROMs come out of the set too. */
export const firmwareArguments = (set: AssetSet): string[] =>
  set.contents.runtime.firmwareDirs.flatMap((dir) => ['-L', path.join(set.root, dir)]);

/** Absolute path of what the VMM loads into the guest. */
export const guestFile = (set: AssetSet, role: 'kernel' | 'initramfs'): string =>
  path.join(set.root, set.contents.roles[role]);
