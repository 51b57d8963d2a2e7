/**
 * An exclusive lock between processes. flock(1) holds it, and the kernel releases it when that process ends: after a
 * crash nothing is left to clean up. The lock file itself stays.
 */
import { once } from 'node:events';
import { execa } from 'execa';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';

export async function lockFile(path: string, timeoutMs: number): Promise<AsyncDisposable> {
  const seconds = Math.ceil(timeoutMs / 1_000);
  // cat says "locked" back once flock has let it start, and ends when we close its input or die.
  const holder = execa('flock', ['--exclusive', '--wait', String(seconds), path, 'cat'], { reject: false });
  const ended = holder.then((result) => result.stderr);
  holder.stdin.on('error', () => undefined); // a holder that ended early shows below
  holder.stdin.write('locked\n');
  const first = await Promise.race([once(holder.stdout, 'data').then(() => 'locked' as const), ended]);
  if (first !== 'locked') {
    throw new DormouseError('deadline-exceeded', `no lock on ${path} within ${timeoutMs} ms`, {
      details: { words: first },
    });
  }
  return {
    async [Symbol.asyncDispose]() {
      holder.stdin.end();
      await ended;
    },
  };
}
