/** A real Redis for one test file: on a socket in a folder of its own, gone at the end. */
import { execa } from 'execa';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface TestRedis extends AsyncDisposable {
  /** What ioredis connects to. */
  readonly url: string;
  readonly folder: string;
}

export async function startTestRedis(): Promise<TestRedis> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-api-'));
  const url = path.join(folder, 'redis.sock');
  const options = ['--port', '0', '--unixsocket', url, '--save', '', '--dir', folder];
  const server = execa('setpriv', ['--pdeathsig', 'KILL', '--', 'redis-server', ...options], { reject: false });
  return {
    url,
    folder,
    async [Symbol.asyncDispose]() {
      server.kill('SIGTERM');
      await server;
      await rm(folder, { recursive: true });
    },
  };
}
