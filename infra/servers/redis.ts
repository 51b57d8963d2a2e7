/**
 * A real redis-server: append-only file under `dir` (no RDB snapshots beside it), loopback only, and never an eviction:
 * BullMQ's queues and the registry must not lose keys to a full memory.
 */
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { startLocalServer, type LocalServer } from './local-server.ts';

export interface RedisServer extends LocalServer {
  readonly url: string;
}

export interface RedisOptions {
  /** Holds the append-only file and the log; made if missing. */
  readonly dir: string;
  /** Without one, a free port. */
  readonly port?: number;
  /** Default true. Without it a restart begins empty. */
  readonly appendOnly?: boolean;
}

export async function startRedis(options: RedisOptions): Promise<RedisServer> {
  const { dir, port, appendOnly = true } = options;
  await mkdir(dir, { recursive: true });
  const server = await startLocalServer({
    name: 'redis',
    dir,
    program: 'redis-server',
    arguments: (chosenPort) => redisArguments(dir, chosenPort, appendOnly),
    isReady: answersPing,
    ...(port === undefined ? {} : { port }),
  });
  return { ...server, url: `redis://127.0.0.1:${server.port}` };
}

export const redisArguments = (dir: string, port: number, appendOnly: boolean): string[] => [
  ...['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--daemonize', 'no', '--save', ''],
  ...['--appendonly', appendOnly ? 'yes' : 'no', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'],
];

/** While Redis reads its append-only file it listens already, but answers `-LOADING`. */
const pingTimeoutMs = 1_000;

export function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(pingTimeoutMs, () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (answer) => settle(answer.toString().startsWith('+PONG')));
  });
}
