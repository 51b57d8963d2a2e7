/** A small file system of the run's own in RAM, which a fault can fill. It must be free of users when it is disposed of. */
import { mkdir } from 'node:fs/promises';
import { execa } from 'execa';

export async function mountSmallDisk(folder: string, sizeMiB: number, resources: AsyncDisposableStack): Promise<void> {
  await mkdir(folder, { recursive: true });
  await execa('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m,mode=0700`, 'dormouse-chaos', folder]);
  resources.defer(async () => {
    await execa('umount', ['--', folder]);
  });
}
