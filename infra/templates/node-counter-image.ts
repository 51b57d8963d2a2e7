/** The Node.js counter on a root made of Debian packages. Failures: as assets/debian/private-apt.ts. */
import path from 'node:path';
import type { ToolchainPlace } from '../../assets/guest-build/go-toolchain.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { fillDebianRoot } from './debian-root.ts';
import { placeFile, placeLowerFiles } from './image-files.ts';
import type { ImageRunSettings } from './oci-layout.ts';

/** The package manager that nodejs brings along. */
const superfluous = 'usr/share/nodejs/corepack';

export async function fillNodeCounterRoot(root: string, toolchain: ToolchainPlace): Promise<ImageRunSettings> {
  await fillDebianRoot(root, ['nodejs'], toolchain);
  await removeTree(path.join(root, superfluous), root);
  await placeFile(path.join(import.meta.dirname, 'node-counter/server.mjs'), root, 'app/server.mjs');
  await placeLowerFiles(root);
  return { entrypoint: ['/usr/bin/node', '/app/server.mjs'], workingDir: '/app', env: ['NODE_ENV=production'] };
}
