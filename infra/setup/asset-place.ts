/** Where the set-up puts things: what it makes for this clone goes to `.cache`, finished asset sets to their folder. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findMirror, securityBeside } from '../../assets/debian/apt-sources.ts';
import type { Place } from '../../assets/assembly/place.ts';
import { readEnvironment } from '../../shared/config/environment.ts';

/** In the repository, ignored by git: downloads, compilers, built images. May be emptied at any time. */
export const cacheFolder = fileURLToPath(new URL('../../.cache', import.meta.url));

export type ToolchainPlace = Omit<Place, 'assetsDir'>;

export function toolchainPlace(progress: (message: string) => void): ToolchainPlace {
  return {
    cacheDir: path.join(cacheFolder, 'assets'),
    findMirror: () => {
      const { DORMOUSE_DEBIAN_MIRROR: main } = readEnvironment(process.env, 'DORMOUSE_DEBIAN_MIRROR');
      return findMirror(main === undefined ? undefined : { main, security: securityBeside(main) });
    },
    progress,
  };
}
