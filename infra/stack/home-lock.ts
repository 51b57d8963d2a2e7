/**
 * One stack per DORMOUSE_HOME. The lock is a listening socket in Linux's abstract namespace, named after the folder's
 * device and inode: binding it is atomic, and the kernel frees it however the owner ends, kill -9 included, so there is
 * no stale lock to judge. Whoever connects is told who holds it. It does not reach into other network namespaces: two
 * containers that share a folder are not kept apart.
 * Failure: `precondition-missing` with the holder's pid when another stack has the folder.
 */
import { mkdir, stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';

/** A holder answers at once, unless it is stopped or just ending; a person should not wait longer for its name. */
const askLimitMs = 1000;

export interface HomeLock extends AsyncDisposable {
  release(): Promise<void>;
}

export async function lockHome(home: string): Promise<HomeLock> {
  await mkdir(home, { recursive: true });
  const { dev, ino } = await stat(home);
  const address = `\0dormouse-home-${dev}-${ino}`;
  const server = createServer((socket) => {
    socket.on('error', () => undefined); // the asker went away: nothing of ours is lost
    socket.end(String(process.pid));
  });
  if (!(await listens(server, address))) throw await taken(home, address);
  // A lock alone is no reason to keep a process alive.
  server.unref();
  const release = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  return { release, [Symbol.asyncDispose]: release };
}

function listens(server: Server, address: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen(address, () => resolve(true));
  });
}

async function taken(home: string, address: string): Promise<DormouseError> {
  const pid = await Promise.race([askHolder(address), delay(askLimitMs, undefined, { ref: false })]);
  const holder = pid === undefined ? 'another process' : `process ${pid}`;
  return new DormouseError(
    'precondition-missing',
    `a Dormouse stack (${holder}) already runs on ${home}: stop it, or set DORMOUSE_HOME and DORMOUSE_PORT for a second one`,
    { details: { home, pid } },
  );
}

function askHolder(address: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answer = '';
    connect(address)
      .on('data', (chunk: Buffer) => (answer += chunk.toString()))
      .on('end', () => resolve(answer))
      .on('error', () => resolve(undefined));
  });
}
