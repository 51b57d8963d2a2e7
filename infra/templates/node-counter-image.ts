/**
 * The Node.js counter on a root made of Debian packages: nodejs and all that it needs, users, and nothing to read.
 * Package scripts do not run; of what they would do, only the user database matters here.
 * Failures: as assets/debian/private-apt.ts.
 */
import path from 'node:path';
import { downloadPackages, resolveClosure, unpackPackage } from '../../assets/debian/packages.ts';
import { openPrivateApt } from '../../assets/debian/private-apt.ts';
import type { ToolchainPlace } from '../../assets/guest-build/go-toolchain.ts';
import { hostArchitecture } from '../../shared/assets/asset-folder.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { placeFile, placeLowerFiles } from './image-files.ts';
import type { ImageRunSettings } from './oci-layout.ts';

// base-files first: it brings the links /bin and /lib that the others' files go through.
const wanted = ['base-files', 'base-passwd', 'nodejs'] as const;

/** Documentation, translations, and the package manager that nodejs brings along. */
const superfluous = [
  'usr/share/doc',
  'usr/share/man',
  'usr/share/info',
  'usr/share/locale',
  'usr/share/lintian',
  'usr/share/bash-completion',
  'usr/share/gdb',
  'usr/share/gcc',
  'usr/share/nodejs/corepack',
] as const;

export async function fillNodeCounterRoot(root: string, toolchain: ToolchainPlace): Promise<ImageRunSettings> {
  await unpackDebian(root, toolchain);
  for (const folder of superfluous) await removeTree(path.join(root, folder), root);
  for (const name of ['passwd', 'group']) {
    await placeFile(path.join(root, 'usr/share/base-passwd', `${name}.master`), root, `etc/${name}`);
  }
  await placeFile(path.join(import.meta.dirname, 'node-counter/server.mjs'), root, 'app/server.mjs');
  await placeLowerFiles(root);
  return { entrypoint: ['/usr/bin/node', '/app/server.mjs'], workingDir: '/app', env: ['NODE_ENV=production'] };
}

async function unpackDebian(root: string, { cacheDir, findMirror, progress }: ToolchainPlace): Promise<void> {
  const apt = await openPrivateApt(path.join(cacheDir, 'apt'), hostArchitecture(), await findMirror());
  progress('reading the Debian package index');
  await apt.run('apt-get', ['update', '-qq']);
  const packages = await resolveClosure(apt, wanted);
  await downloadPackages(apt, cacheDir, packages, progress);
  progress('unpacking Debian packages');
  const order = packages.toSorted((a, b) => Number(b.name === wanted[0]) - Number(a.name === wanted[0]));
  for (const item of order) await unpackPackage(cacheDir, item, root);
}
