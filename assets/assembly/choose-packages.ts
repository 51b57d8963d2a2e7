/**
 * Decides which package versions a set is made of, and brings them into the cache.
 *
 * Pinned versions are used while they can be had: from the cache (then no mirror is asked at all), or from the suite. When
 * the suite has moved past a pin, a mix of old and new could contradict itself, so all packages are taken in the suite's
 * current versions, which Debian's signature vouches for; what moved is said, and the set records what was used.
 */
import type { Architecture } from '../../shared/assets/asset-set.ts';
import {
  availableVersions,
  downloadPackages,
  missingFromCache,
  resolveClosure,
  type Package,
} from '../debian/packages.ts';
import { openPrivateApt, type PrivateApt } from '../debian/private-apt.ts';
import path from 'node:path';
import type { Place } from './place.ts';
import { selections } from './selection.ts';

export interface Chosen {
  readonly packages: readonly Package[];
  /** False when the suite's current versions had to be taken, or were asked for. */
  readonly pinned: boolean;
}

export async function choosePinned(place: Place, arch: Architecture, pins: readonly Package[]): Promise<Chosen> {
  if ((await missingFromCache(place.cacheDir, pins)).length === 0) return { packages: pins, pinned: true };
  const apt = await updatedApt(place, arch);
  const moved = await movedPins(apt, pins);
  if (moved.length > 0) {
    for (const message of moved) place.progress(message);
    place.progress("the mirror has moved past the pins: taking the suite's current versions of all packages");
    return chooseFrom(place, apt);
  }
  await downloadPackages(apt, place.cacheDir, pins, place.progress);
  return { packages: pins, pinned: true };
}

export async function chooseCurrent(place: Place, arch: Architecture): Promise<Chosen> {
  return chooseFrom(place, await updatedApt(place, arch));
}

async function updatedApt(place: Place, arch: Architecture): Promise<PrivateApt> {
  place.progress(`reading Debian's ${arch} package index`);
  const apt = await openPrivateApt(path.join(place.cacheDir, 'apt'), arch, await place.findMirror());
  await apt.run('apt-get', ['update', '-qq']);
  return apt;
}

async function chooseFrom(place: Place, apt: PrivateApt): Promise<Chosen> {
  const packages = await resolveClosure(apt, selections[apt.architecture].packages);
  await downloadPackages(apt, place.cacheDir, packages, place.progress);
  return { packages, pinned: false };
}

/** One sentence for each pin that the suite no longer has. */
async function movedPins(apt: PrivateApt, pins: readonly Package[]): Promise<string[]> {
  const available = await availableVersions(
    apt,
    pins.map(({ name }) => name),
  );
  return pins.flatMap((pin) => {
    const versions = available.filter(({ name }) => name === pin.name);
    if (versions.some(({ sha256 }) => sha256 === pin.sha256)) return [];
    const now = versions.map(({ version }) => version).join(', ') || 'no such package';
    return [`${pin.name}: pinned ${pin.version}, the suite has ${now}`];
  });
}
