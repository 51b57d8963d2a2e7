/**
 * A lock between processes: flock(2), held by a child whose standard input is a pipe from us. However this process ends,
 * the pipe closes, the child ends, and the kernel releases the lock: there are no stale locks to judge.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';

/** Waits until the lock is free. The file is made and stays: deleting it would let two hold "the" lock. */
export async function lockFile(file: string, signal: AbortSignal): Promise<AsyncDisposable> {
  signal.throwIfAborted();
  // `cat` answers the byte only once flock has the lock and has started it.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'flock', '--no-fork', '--', file, 'cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()).once('error', () => resolve()));
  child.stdin.on('error', () => undefined); // a child that could not start is reported below
  child.stdin.write('.');
  const release = async (): Promise<void> => {
    child.stdin.end();
    await ended;
  };
  try {
    await Promise.race([once(child.stdout, 'data', { signal }), ended.then(() => Promise.reject(failed(file)))]);
  } catch (error) {
    child.kill('SIGKILL');
    await release();
    signal.throwIfAborted();
    throw error;
  }
  return { [Symbol.asyncDispose]: release };
}

const failed = (file: string): DormouseError =>
  new DormouseError('precondition-missing', `cannot lock ${file}: the program flock (util-linux) did not start`);
