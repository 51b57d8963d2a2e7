/**
 * Fills the folder of a new set from an unpacked package root: programs with their libraries and firmware, the kernel, the
 * initramfs. Only what is listed is copied, links are followed and must stay inside the package root.
 */
import { chmod, copyFile, mkdir, readdir, readFile, realpath, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { AssetDescription, Architecture } from '../../shared/assets/asset-set.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { libraryClosure, libraryLayout } from '../elf/library-closure.ts';
import { buildInitramfs } from '../initramfs/initramfs.ts';
import { extractVmlinux } from '../kernel/vmlinux.ts';
import { firmwareDirs, selections } from './selection.ts';

export interface Filling {
  readonly architecture: Architecture;
  readonly packageRoot: string;
  readonly agent: string;
  readonly target: string;
}

export type Filled = Pick<AssetDescription, 'roles' | 'emulators' | 'runtime' | 'kernelRelease'> & {
  /** Files of the package root that went into the set, in whatever form. */
  readonly used: readonly string[];
};

const guestFolder = 'guest';

export async function fillSet(filling: Filling): Promise<Filled> {
  const { architecture, packageRoot, target } = filling;
  const selection = selections[architecture];
  const programs = [selection.vmm, selection.virtiofsd, ...Object.values(selection.emulators)];
  const libraries = await libraryClosure(packageRoot, architecture, programs);
  const executable = [...programs, ...libraries.files];
  for (const file of executable) await copyInto(packageRoot, target, file, 0o755);
  for (const file of selection.firmware) await copyInto(packageRoot, target, file, 0o644);
  const guest = await fillGuest(filling);
  return {
    roles: { vmm: selection.vmm, virtiofsd: selection.virtiofsd, kernel: guest.kernel, initramfs: guest.initramfs },
    emulators: selection.emulators,
    runtime: {
      loader: libraries.loader,
      libraryDirs: nonEmpty(libraryLayout[architecture].libraryDirs),
      firmwareDirs: nonEmpty(firmwareDirs(selection)),
    },
    kernelRelease: guest.kernelRelease,
    used: [...executable, ...selection.firmware, ...guest.used],
  };
}

async function copyInto(packageRoot: string, target: string, file: string, mode: number): Promise<void> {
  const source = await realpath(path.join(packageRoot, file));
  if (!source.startsWith((await realpath(packageRoot)) + path.sep)) {
    throw new DormouseError('asset-invalid', `${file} is a link out of its package`);
  }
  const destination = path.join(target, file);
  await mkdir(path.dirname(destination), { recursive: true });
  await copyFile(source, destination);
  await chmod(destination, mode);
}

async function fillGuest({ architecture, packageRoot, agent, target }: Filling) {
  const image = await kernelImage(packageRoot);
  const kernelRelease = path.basename(image).replace('vmlinuz-', '');
  const compressed = await readFile(path.join(packageRoot, image));
  const { archive, used } = await buildInitramfs({ architecture, packageRoot, kernelRelease, agent });
  await mkdir(path.join(target, guestFolder));
  const kernel = `${guestFolder}/kernel`;
  const initramfs = `${guestFolder}/initramfs.cpio`;
  // arm64 has no PVH: its VMM unpacks the kernel itself.
  await writeFile(path.join(target, kernel), architecture === 'amd64' ? await extractVmlinux(compressed) : compressed);
  await writeFile(path.join(target, initramfs), archive);
  return { kernel, initramfs, kernelRelease, used: [image, ...used] };
}

async function kernelImage(packageRoot: string): Promise<string> {
  const images = (await readdir(path.join(packageRoot, 'boot'))).filter((name) => name.startsWith('vmlinuz-'));
  const [image, ...more] = images;
  if (image === undefined || more.length > 0) {
    throw new DormouseError('asset-invalid', `the packages hold ${images.length} kernels instead of one`);
  }
  return path.join('boot', image);
}

function nonEmpty<Item>(list: readonly Item[]): [Item, ...Item[]] {
  const [first, ...rest] = list;
  if (first === undefined) throw new DormouseError('internal', 'an empty list where one item at least must be');
  return [first, ...rest];
}
