/** Real Redis servers for tests: a single one on a socket, and a cluster of masters on loopback. They end with the test. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { freePorts } from '../../process/free-ports.ts';
import type { RunningRedis } from './conformance.ts';
import { socketUrl } from './socket-url.ts';

const masters = 3;
/** Until every master of a cluster knows of all slots: gossip, once a second. */
const clusterLimitMs = 30_000;
/** Masters on a busy machine may not hear of each other for a second or two; that must not take the cluster down. */
const nodeTimeoutMs = 10_000;
const pollMs = 100;

export async function startSingle(): Promise<RunningRedis> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-redis-'));
  const socket = path.join(folder, 'redis.sock');
  const server = redisServer(['--port', '0', '--unixsocket', socket, '--save', '', '--dir', folder]);
  return {
    url: socketUrl(socket),
    async [Symbol.asyncDispose]() {
      server.kill('SIGTERM');
      await server;
      await rm(folder, { recursive: true });
    },
  };
}

export interface LocalCluster extends RunningRedis {
  readonly ports: readonly number[];
  /** Ends the master on that port and starts it again, empty, as after the loss of its machine. */
  restart(port: number): Promise<void>;
}

export async function startCluster(): Promise<LocalCluster> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-cluster-'));
  const ports = await freePorts(2 * masters);
  const [own, bus] = [ports.slice(0, masters), ports.slice(masters)];
  const start = (index: number): ReturnType<typeof redisServer> => {
    const dir = path.join(folder, String(index));
    const places = ['--port', String(own[index]), '--cluster-port', String(bus[index]), '--bind', '127.0.0.1'];
    const cluster = ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(nodeTimeoutMs)];
    return redisServer([...places, ...cluster, '--save', '', '--dir', dir]);
  };
  for (const index of own.keys()) await mkdir(path.join(folder, String(index)));
  const servers = [...own.keys()].map(start);
  const addresses = own.map((port) => `127.0.0.1:${port}`);
  const limit = AbortSignal.timeout(clusterLimitMs);
  for (const port of own) await answering(port, /PONG/, ['ping'], limit);
  await execa('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes']);
  const settled = async (signal: AbortSignal): Promise<void> => {
    for (const port of own) await answering(port, /cluster_state:ok/, ['cluster', 'info'], signal);
  };
  await settled(limit);
  return {
    url: `redis+cluster://${addresses.join(',')}`,
    ports: own,
    async restart(port) {
      const index = own.indexOf(port);
      servers[index]?.kill('SIGKILL');
      await servers[index];
      servers[index] = start(index);
      await settled(AbortSignal.timeout(clusterLimitMs));
    },
    async [Symbol.asyncDispose]() {
      for (const server of servers) server.kill('SIGTERM');
      await Promise.all(servers);
      await rm(folder, { recursive: true });
    },
  };
}

const redisServer = (args: readonly string[]) =>
  execa('setpriv', ['--pdeathsig', 'KILL', '--', 'redis-server', ...args], { reject: false, stdout: 'ignore' });

async function answering(port: number, words: RegExp, command: readonly string[], signal: AbortSignal): Promise<void> {
  for (;;) {
    const { stdout } = await execa('redis-cli', ['-p', String(port), ...command], { reject: false });
    if (words.test(stdout)) return;
    await delay(pollMs, undefined, { signal });
  }
}
