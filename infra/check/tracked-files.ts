/**
 * The files of the project: what git tracks, and what it would track if it were added now, so that a check sees a new
 * file before it is committed. Paths are relative to the repository. Failure: `precondition-missing` without git.
 */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';

export const repositoryRoot = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');

export async function trackedFiles(root = repositoryRoot): Promise<string[]> {
  // safe.directory: root may run this in a clone that belongs to someone else, and only reads names.
  const args = ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const listed = await execa('git', args, { cwd: root, reject: false });
  if (listed.failed) {
    const words = `git cannot list the files of ${root}: ${listed.stderr || listed.shortMessage}`;
    throw new DormouseError('precondition-missing', `${words}. Install git and check a clone, not a copy.`);
  }
  const names = [...new Set(listed.stdout.split('\0'))].filter((name) => name !== '').sort();
  // Listed, but deleted in the working tree or a link to nowhere: nothing to check.
  const present = await Promise.all(
    names.map((name) =>
      stat(path.join(root, name)).then(
        (it) => it.isFile(),
        () => false,
      ),
    ),
  );
  return names.filter((_, index) => present[index]);
}
