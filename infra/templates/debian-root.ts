/**
 * An image's root made of Debian packages and all that they need: users, and nothing to read. Package scripts do not run;
 * of what they would do, only the user database matters here.
 * Failures: as assets/debian/private-apt.ts.
 */
import path from 'node:path';
import { downloadPackages, resolveClosure, unpackPackage } from '../../assets/debian/packages.ts';
import { openPrivateApt } from '../../assets/debian/private-apt.ts';
import type { ToolchainPlace } from '../../assets/guest-build/go-toolchain.ts';
import { hostArchitecture } from '../../shared/assets/asset-folder.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { placeFile } from './image-files.ts';

/** Brings the links /bin and /lib that the others' files go through, so it is unpacked before them. */
const first = 'base-files';

/** Documentation and translations. */
const superfluous = ['doc', 'man', 'info', 'locale', 'lintian', 'bash-completion', 'gdb', 'gcc'] as const;

export async function fillDebianRoot(
  root: string,
  wanted: readonly string[],
  { cacheDir, findMirror, progress }: ToolchainPlace,
): Promise<void> {
  const apt = await openPrivateApt(path.join(cacheDir, 'apt'), hostArchitecture(), await findMirror());
  progress('reading the Debian package index');
  await apt.run('apt-get', ['update', '-qq']);
  const packages = await resolveClosure(apt, [first, 'base-passwd', ...wanted]);
  await downloadPackages(apt, cacheDir, packages, progress);
  progress('unpacking Debian packages');
  const order = packages.toSorted((a, b) => Number(b.name === first) - Number(a.name === first));
  for (const item of order) await unpackPackage(cacheDir, item, root);
  for (const folder of superfluous) await removeTree(path.join(root, 'usr/share', folder), root);
  for (const name of ['passwd', 'group']) {
    await placeFile(path.join(root, 'usr/share/base-passwd', `${name}.master`), root, `etc/${name}`);
  }
}
