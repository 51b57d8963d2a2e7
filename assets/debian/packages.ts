/**
 * Packages of the private apt: which versions the suite has now, what a program needs, and the .deb files themselves, kept
 * in a cache by their digest. A file is used only if its sha256 is what the signed index, or a pin, says.
 */
import { execa } from 'execa';
import { access, mkdir, mkdtemp, readdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { sha256OfFile } from '../../shared/assets/asset-set.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import type { Progress } from '../progress.ts';
import type { PrivateApt } from './private-apt.ts';

export interface Package {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
}

/** Packages fetched by one apt command: few enough that progress shows, enough that its start does not. */
const batchSize = 12;

/** Everything that the named packages need, in the suite's current versions. */
export async function resolveClosure(apt: PrivateApt, names: readonly string[]): Promise<Package[]> {
  const plan = await apt.run('apt-get', ['install', '--simulate', '-qq', ...names]);
  const chosen = parseInstallPlan(plan);
  const known = await availableVersions(
    apt,
    chosen.map(({ name }) => name),
  );
  return chosen.map((wanted) => {
    const found = known.find(({ name, version }) => name === wanted.name && version === wanted.version);
    if (found === undefined) {
      throw new DormouseError('assets-unavailable', `the index does not describe ${wanted.name} ${wanted.version}`);
    }
    return found;
  });
}

/** `Inst name (version suite [arch])` lines of a simulated installation. */
export function parseInstallPlan(plan: string): { name: string; version: string }[] {
  return [...plan.matchAll(/^Inst (\S+) \((\S+) /gm)].map(([, name = '', version = '']) => ({
    name: name.replace(/:.*/, ''),
    version,
  }));
}

/** Every version of the named packages that the suite has now; a name it no longer has is left out. */
export async function availableVersions(apt: PrivateApt, names: readonly string[]): Promise<Package[]> {
  const present = new Set((await apt.run('apt-cache', ['pkgnames'])).split('\n'));
  const asked = names.filter((name) => present.has(name));
  return asked.length === 0 ? [] : parseIndex(await apt.run('apt-cache', ['show', ...asked]));
}

export function parseIndex(stanzas: string): Package[] {
  return stanzas.split(/\n\n+/).flatMap((stanza) => {
    const field = (name: string): string | undefined => new RegExp(`^${name}: (.+)$`, 'm').exec(stanza)?.[1];
    const [name, version, sha256] = [field('Package'), field('Version'), field('SHA256')];
    return name === undefined || version === undefined || sha256 === undefined ? [] : [{ name, version, sha256 }];
  });
}

const debFile = (cacheDir: string, { sha256 }: Package): string => path.join(cacheDir, 'debs', `${sha256}.deb`);

/** The packages whose .deb is not in the cache yet. */
export async function missingFromCache(cacheDir: string, packages: readonly Package[]): Promise<Package[]> {
  const present = await Promise.all(
    packages.map((item) =>
      access(debFile(cacheDir, item)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return packages.filter((_, index) => present[index] !== true);
}

/** Fetches what the cache lacks. */
export async function downloadPackages(
  apt: PrivateApt,
  cacheDir: string,
  packages: readonly Package[],
  progress: Progress,
): Promise<void> {
  const missing = await missingFromCache(cacheDir, packages);
  await mkdir(path.join(cacheDir, 'debs'), { recursive: true });
  for (let done = 0; done < missing.length; done += batchSize) {
    progress(`downloading Debian packages: ${done} of ${missing.length}`);
    await downloadBatch(apt, cacheDir, missing.slice(done, done + batchSize));
  }
}

async function downloadBatch(apt: PrivateApt, cacheDir: string, batch: readonly Package[]): Promise<void> {
  const folder = await mkdtemp(path.join(cacheDir, 'download-'));
  try {
    const wanted = batch.map(({ name, version }) => `${name}=${version}`);
    await apt.run('apt-get', ['download', '-qq', ...wanted], folder);
    const arrived = await Promise.all(
      (await readdir(folder)).map(async (name): Promise<[string, string]> => {
        const file = path.join(folder, name);
        return [await sha256OfFile(file), file];
      }),
    );
    const byDigest = new Map(arrived);
    for (const item of batch) {
      const file = byDigest.get(item.sha256);
      if (file === undefined) {
        throw new DormouseError(
          'assets-unavailable',
          `the mirror's ${item.name} ${item.version} is not the pinned one`,
        );
      }
      await rename(file, debFile(cacheDir, item));
    }
  } finally {
    await removeTree(folder, cacheDir);
  }
}

/** Unpacks a cached package, after reading it whole: the cache is a folder that anyone may have touched. */
export async function unpackPackage(cacheDir: string, item: Package, into: string): Promise<void> {
  const file = debFile(cacheDir, item);
  if ((await sha256OfFile(file)) !== item.sha256) {
    throw new DormouseError('asset-invalid', `${file} is damaged; remove it and assemble again`);
  }
  await execa('dpkg-deb', ['--extract', file, into]);
}

/** The files a package would install, relative to the root. */
export async function packageFiles(cacheDir: string, item: Package): Promise<string[]> {
  const { stdout } = await execa('dpkg-deb', ['--contents', debFile(cacheDir, item)]);
  return stdout.split('\n').flatMap((line) => {
    const [, name] = /^[-l]\S+\s+\S+\s+\S+\s+\S+\s+\S+\s+\.\/(.+)$/.exec(line) ?? [];
    return name === undefined ? [] : [name.replace(/ (?:->|link to) .*$/, '')];
  });
}
