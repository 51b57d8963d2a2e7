/** Where the set-up puts what it makes for this clone, and where compilers and Debian packages come from. */
import { fileURLToPath } from 'node:url';
import { readAssetsConfig } from '../../assets/config.ts';
import { findMirror } from '../../assets/debian/apt-sources.ts';
import type { Place } from '../../assets/assembly/place.ts';

/** In the repository, ignored by git: built images and test servers. May be emptied at any time. */
export const cacheFolder = fileURLToPath(new URL('../../.cache', import.meta.url));

export type ToolchainPlace = Omit<Place, 'assetsDir'>;

export function toolchainPlace(progress: (message: string) => void): ToolchainPlace {
  const { cacheDir, mirror } = readAssetsConfig();
  return { cacheDir, findMirror: () => findMirror(mirror), progress };
}
