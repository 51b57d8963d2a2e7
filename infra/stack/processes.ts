/** What the stack runs: one redis-server (unless one is configured), one api, and workers `node-1`, `node-2`, … */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { redisArguments } from '../servers/redis.ts';
import { socketUrl } from '../../shared/registry/redis/socket-url.ts';
import type { StackConfig } from './config.ts';
import type { ChildSpec } from './supervise.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The configuration with everything decided: a port that is free, a Redis that is ours or given. */
export interface DecidedConfig extends StackConfig {
  /** Of our own Redis, its port: for whoever else looks at it. */
  readonly redisUrl: string;
  /** Of our own Redis: what api and workers use. */
  readonly redisSocket?: string;
}

export const nodeIds = (count: number): string[] => Array.from({ length: count }, (_, index) => `node-${index + 1}`);

export function redisSpec(home: string, port: number, socket?: string): ChildSpec {
  const args = redisArguments(redisFolder(home), port, true);
  // Nobody else's, unlike the port. Redis replaces a file that one that was killed left behind.
  if (socket !== undefined) args.push('--unixsocket', socket, '--unixsocketperm', '700');
  return { name: 'redis', file: 'redis-server', args, cwd: root, environment: inherited() };
}

export const redisFolder = (home: string): string => path.join(home, 'redis');

/** The kernel's: sun_path holds 108 bytes with its end. */
const maxSocketPathBytes = 107;

/** Undefined where the path is too long for a socket. */
export function redisSocketIn(home: string): string | undefined {
  const socket = path.join(redisFolder(home), 'redis.sock');
  return Buffer.byteLength(socket) <= maxSocketPathBytes ? socket : undefined;
}

export function apiSpec(config: DecidedConfig): ChildSpec {
  const own = { DORMOUSE_HOST: config.host, DORMOUSE_PORT: String(config.port) };
  return nodeProgram('api', 'api/main.ts', config, own);
}

/**
 * glibc's settings for a worker, which every way to start one has; its VMs inherit them. Each suspend and each wake makes
 * buffers of a megabyte in several threads and drops them again. As it comes, glibc keeps what is freed in one heap per
 * thread, and with the first large block that is freed begins to serve all large ones from there: after some minutes of
 * wakes a third of the process is memory that nobody uses (docs/decisions/0028-memory-that-nobody-uses.md).
 */
export const workerAllocator = {
  MALLOC_ARENA_MAX: '2',
  /** From here on a block is a mapping of its own, which goes back to the machine when it is freed. */
  MALLOC_MMAP_THRESHOLD_: String(256 * 1024),
} as const;

export function workerSpec(config: DecidedConfig, nodeId: string): ChildSpec {
  const spec = nodeProgram(nodeId, 'worker/main.ts', config, {
    ...config.passedToWorkers,
    DORMOUSE_NODE_ID: nodeId,
    // A worker's default share of the machine's memory depends on how many there are.
    DORMOUSE_NODES: String(config.nodes),
  });
  return { ...spec, environment: { ...workerAllocator, ...spec.environment } };
}

function nodeProgram(name: string, main: string, config: DecidedConfig, own: Record<string, string>): ChildSpec {
  const environment = {
    ...inherited(),
    ...config.passedOn,
    DORMOUSE_HOME: config.home,
    DORMOUSE_REDIS_URL: config.redisSocket === undefined ? config.redisUrl : socketUrl(config.redisSocket),
    DORMOUSE_STORE: config.storeUrl,
    DORMOUSE_ASSETS: config.assets,
    ...own,
  };
  return { name, file: process.execPath, args: [main], cwd: root, environment };
}

/**
 * Our environment (PATH, proxies, the credentials that vendor SDKs look for) without what is meant for this process
 * alone: our own settings, npm's, and the test runner's mark that turns any Node below it into a test file.
 */
function inherited(): Record<string, string> {
  const isOurs = (name: string) => /^(DORMOUSE_|npm_|NODE_TEST_CONTEXT$)/.test(name);
  const kept = Object.entries(process.env).filter(([name, value]) => value !== undefined && !isOurs(name));
  return Object.fromEntries(kept) as Record<string, string>;
}
