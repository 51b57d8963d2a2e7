/**
 * The test servers that come as Go sources: compiled once, at a pinned version, into `<cacheDir>/<name>@<version>/`.
 * Once there, asking again costs one file look-up. A lock keeps two processes from compiling the same program, and the
 * program appears by rename, so a crash never leaves half of one.
 */
import { access, mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { lockFile } from './file-lock.ts';

/** The newest versions found to let exactly one of many concurrent create-only writers win. */
const servers = {
  versitygw: { module: 'github.com/versity/versitygw/cmd/versitygw', version: 'v1.8.0' },
  'fake-gcs-server': { module: 'github.com/fsouza/fake-gcs-server', version: 'v1.56.1' },
} as const;

export type InstallableServer = keyof typeof servers;

/** In the repository, ignored by git. */
const defaultCacheDir = fileURLToPath(new URL('../../.cache/go', import.meta.url));
/** Downloads and compiles some hundred packages; a slow machine with an empty cache needs minutes. */
const installTimeoutMs = 15 * 60_000;

/** Returns the path of the program. */
export async function installServer(name: InstallableServer, cacheDir = defaultCacheDir): Promise<string> {
  const { module, version } = servers[name];
  const folder = path.join(cacheDir, `${name}@${version}`);
  const program = path.join(folder, name);
  if (await exists(program)) return program;
  await mkdir(cacheDir, { recursive: true });
  await using _lock = await lockFile(`${folder}.lock`, installTimeoutMs);
  if (await exists(program)) return program; // another process was faster
  process.stderr.write(`compiling ${name} ${version} with go install (once; this takes a while) ...\n`);
  await compile(`${module}@${version}`, `${folder}.partial`, cacheDir);
  await removeTree(folder, cacheDir);
  await rename(`${folder}.partial`, folder);
  return program;
}

async function compile(target: string, folder: string, cacheDir: string): Promise<void> {
  await removeTree(folder, cacheDir); // left by a process that died here
  await mkdir(folder);
  const result = await execa('setpriv', ['--pdeathsig', 'KILL', '--', 'go', 'install', target], {
    env: { GOBIN: folder },
    timeout: installTimeoutMs,
    reject: false,
  });
  if (!result.failed) return;
  const words = `go install ${target} failed: ${result.shortMessage}\n${result.stderr}`;
  throw new DormouseError('precondition-missing', `${words}\nIs Go on the PATH, and the Go module proxy reachable?`, {
    cause: result,
  });
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
