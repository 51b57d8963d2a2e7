/**
 * A virtiofsd process that serves one shared folder read-only. It listens once; when its VM ends, so does it.
 * `find-paths` puts the paths of open files into the VM's device state, so that another virtiofsd finds them again.
 */
import { execa } from 'execa';
import { DormouseError } from '../../../../shared/errors/dormouse-error.ts';
import { tooLong } from '../../../../shared/process/until.ts';

/** What it prints once the socket accepts a connection. */
const readyLine = 'Waiting for vhost-user socket connection';
const killLimitMs = 5000;
const maxLogBytes = 64 * 1024;

export interface FileSystemDaemon extends AsyncDisposable {
  readonly pid: number;
  readonly socketPath: string;
  readonly exited: Promise<string>;
}

export async function startVirtiofsd(
  program: readonly string[],
  sharedFolder: string,
  socketPath: string,
  signal: AbortSignal,
): Promise<FileSystemDaemon> {
  const prefix = ['--pdeathsig', 'KILL', '--', ...program];
  const child = execa(
    'setpriv',
    [
      ...prefix,
      ...[
        `--socket-path=${socketPath}`,
        `--shared-dir=${sharedFolder}`,
        '--readonly',
        // An image's files never change, so the guest keeps what it has read, and asks for no name twice. With `auto` each
        // opening of a file throws its pages away: what is read again then lies in other pages, and all of them are shipped.
        '--cache=always',
        // The guest has every file in mind that it has walked over. A descriptor for each would soon be more than a process
        // may have, and then the guest is told ENFILE. Where the file system has no handles there are descriptors.
        '--inode-file-handles=prefer',
        '--sandbox=none',
      ],
      ...[
        // A bind mount announced as a submount is an automount point to the guest, which overlayfs refuses as a lower.
        '--no-announce-submounts',
        '--migration-mode=find-paths',
        '--migration-on-error=abort',
      ],
    ],
    { buffer: { stdout: false, stderr: true }, maxBuffer: { stderr: maxLogBytes }, reject: false, cleanup: false },
  );
  const exited = child.then((result) => result.stderr);
  const daemon: FileSystemDaemon = {
    pid: child.pid ?? 0,
    socketPath,
    exited,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await Promise.race([exited, expired(AbortSignal.timeout(killLimitMs), 'virtiofsd to end')]);
    },
  };
  try {
    const ready = new Promise<void>((resolve) => {
      child.stderr.on('data', (chunk: Buffer) => {
        if (chunk.includes(readyLine)) resolve();
      });
    });
    const ended = exited.then((words) => {
      throw new DormouseError('vmm-failed', `virtiofsd ended: ${words}`);
    });
    await Promise.race([ready, ended, expired(signal, 'virtiofsd to listen')]);
    ended.catch(() => undefined);
    return daemon;
  } catch (cause) {
    await daemon[Symbol.asyncDispose]();
    throw cause;
  }
}

function expired(signal: AbortSignal, what: string): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(tooLong(what, signal));
    else signal.addEventListener('abort', () => reject(tooLong(what, signal)), { once: true });
  });
}
