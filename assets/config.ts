/** What this command reads from the environment; a command-line option comes before it. */
import path from 'node:path';
import { readEnvironment } from '../shared/config/environment.ts';
import { securityBeside, type Mirror } from './debian/apt-sources.ts';

export interface AssetsConfig {
  readonly assetsDir: string;
  readonly cacheDir: string;
  readonly store: string;
  readonly mirror: Mirror | undefined;
  /** Where programs are looked for. */
  readonly searchPath: string;
}

export function readAssetsConfig(): AssetsConfig {
  const settings = readEnvironment(
    process.env,
    'DORMOUSE_HOME',
    'DORMOUSE_ASSETS',
    'DORMOUSE_STORE',
    'DORMOUSE_DEBIAN_MIRROR',
  );
  const home = settings.DORMOUSE_HOME;
  const main = settings.DORMOUSE_DEBIAN_MIRROR;
  return {
    assetsDir: settings.DORMOUSE_ASSETS ?? path.join(home, 'assets'),
    cacheDir: path.join(home, 'cache/assets'),
    store: settings.DORMOUSE_STORE ?? `file://${path.join(home, 'store')}`,
    mirror: main === undefined ? undefined : { main, security: securityBeside(main) },
    searchPath: process.env.PATH ?? '',
  };
}
