/** The run's own Redis, which faults kill, start again on the same port, and give an older or a cut append-only file. */
import { cp, glob, rm, stat, truncate } from 'node:fs/promises';
import path from 'node:path';
import { startRedis } from '../../infra/servers/redis.ts';

export interface ChaosRedis extends AsyncDisposable {
  readonly port: number;
  readonly pid: number | undefined;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** One fault at a time: two that kill and start it would meet. */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result>;
  keepCopy(): Promise<void>;
  restoreCopy(): Promise<void>;
  /** Cuts so many bytes off the append-only file, in the middle of a command most likely. Returns how many it had. */
  cutTail(bytes: number): Promise<number>;
}

export async function startChaosRedis(dir: string): Promise<ChaosRedis> {
  let server: Awaited<ReturnType<typeof startRedis>> | undefined = await startRedis({ dir });
  const { port } = server;
  let turn: Promise<unknown> = Promise.resolve();
  const files = path.join(dir, 'appendonlydir');
  const copy = path.join(dir, 'copy');
  return {
    port,
    get pid() {
      return server?.pid;
    },
    exclusively(work) {
      const result = turn.then(work);
      turn = result.catch(() => undefined);
      return result;
    },
    async kill() {
      if (server === undefined) return;
      process.kill(server.pid, 'SIGKILL');
      await server.stop();
      server = undefined;
    },
    async start() {
      server ??= await startRedis({ dir, port });
    },
    async keepCopy() {
      await rm(copy, { recursive: true, force: true });
      await cp(files, copy, { recursive: true });
    },
    async restoreCopy() {
      await rm(files, { recursive: true });
      await cp(copy, files, { recursive: true });
    },
    async cutTail(bytes) {
      const [last] = (await Array.fromAsync(glob(path.join(files, '*.incr.aof')))).sort().reverse();
      if (last === undefined) return 0;
      const { size } = await stat(last);
      const lost = Math.min(size, bytes);
      await truncate(last, size - lost);
      return lost;
    },
    async [Symbol.asyncDispose]() {
      await server?.stop();
    },
  };
}
