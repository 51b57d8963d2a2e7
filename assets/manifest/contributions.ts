/**
 * Which package gave which file: turns the files that an assembly used into pins, and compares them with the pins that are
 * written down.
 */
import path from 'node:path';
import { sha256OfFile } from '../../shared/assets/asset-set.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { packageFiles, type Package } from '../debian/packages.ts';
import type { Manifest, Pin } from './manifest.ts';

/** Pins of the packages that contributed a file, sorted by name; the others are left out. */
export async function pinContributions(
  cacheDir: string,
  packageRoot: string,
  packages: readonly Package[],
  used: readonly string[],
): Promise<Pin[]> {
  const owners = new Map<string, Package>();
  for (const item of packages) {
    for (const file of await packageFiles(cacheDir, item)) owners.set(file, item);
  }
  const pins = new Map<string, Pin>();
  for (const file of [...new Set(used)].sort()) {
    const owner = owners.get(file);
    if (owner === undefined) throw new DormouseError('internal', `no package holds ${file}`);
    const pin = pins.get(owner.name) ?? { ...owner, files: {} };
    pin.files[file] = await sha256OfFile(path.join(packageRoot, file));
    pins.set(owner.name, pin);
  }
  return [...pins.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Refuses pins that do not describe what was really used: someone changed the selection and forgot `update`. */
export function requireSamePins(manifest: Manifest, pins: readonly Pin[]): void {
  const flat = (list: readonly Pin[]): Set<string> =>
    new Set(
      list.flatMap(({ name, files }) => Object.entries(files).map(([file, sha256]) => `${name} ${file} ${sha256}`)),
    );
  const written = flat(manifest.packages);
  const real = flat(pins);
  const difference = [...written.symmetricDifference(real)].sort();
  if (difference.length === 0) return;
  throw new DormouseError(
    'asset-invalid',
    `the ${manifest.architecture} manifest does not list what the set uses; run \`npm run assets -- update\``,
    { details: { difference } },
  );
}
