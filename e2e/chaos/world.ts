/**
 * The platform under test and the ways to break it: a stack on free ports under a temporary home, a Redis and, where faults
 * need it, an S3 server or a small disk of our own, and a proxy in front of each for each process.
 */
import { cp, mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { startVersitygw } from '../../infra/servers/versitygw.ts';
import { startFaultProxy, type FaultProxy } from '../../shared/object-store/fault-proxy.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { startPlatform, type Platform } from '../platform.ts';
import { needsProxiedStore, type FaultName } from './faults/names.ts';
import { now } from './history.ts';
import { startChaosRedis, type ChaosRedis } from './redis.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

export interface Death {
  readonly process: string;
  readonly at: number;
}

export interface World extends AsyncDisposable {
  readonly platform: Platform;
  readonly redis: ChaosRedis;
  /** By process: its way to Redis, and to the store when that is a server. */
  readonly redisLinks: ReadonlyMap<string, TcpProxy>;
  readonly storeLinks: ReadonlyMap<string, TcpProxy>;
  readonly storeProxy: FaultProxy | undefined;
  /** A small file system that holds the store. */
  readonly smallDisk: string | undefined;
  /** The store as the checker reads it, past all proxies. */
  readonly storeUrl: string;
  readonly deaths: readonly Death[];
  pidOf(process: string): number | undefined;
}

export interface WorldOptions {
  readonly faults: readonly FaultName[];
  readonly nodes: number;
  readonly leaseMs: number;
  /** Keeps copies of the platform's logs here. */
  readonly logs?: string | undefined;
}

const bucket = 'dormouse';
/** A golden, and some hundred small generations. */
const smallDiskMiB = 768;

export async function startWorld(options: WorldOptions): Promise<World> {
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(tmpdir(), 'dm-chaos-'));
  resources.defer(() => removeTree(folder, tmpdir()));
  const home = path.join(folder, 'home');
  await mkdir(home);
  // After the platform has stopped, so that its last words are there too.
  const { logs } = options;
  if (logs !== undefined) resources.defer(() => cp(path.join(home, 'logs'), logs, { recursive: true }));
  const processes = ['api', ...Array.from({ length: options.nodes }, (_, index) => `node-${index + 1}`)];
  const redis = resources.use(await startChaosRedis(path.join(folder, 'redis')));
  const redisLinks = await linksTo(redis.port, processes, resources);
  const store = await startStore(options.faults, folder, processes, resources);
  const deaths: Death[] = [];
  const platform = resources.use(
    await startPlatform({
      home,
      storeUrl: store.storeUrl,
      environment: {
        DORMOUSE_REDIS_URL: `redis://127.0.0.1:${redis.port}`,
        DORMOUSE_LEASE_MS: String(options.leaseMs),
        DORMOUSE_NODES: String(options.nodes),
      },
      start: {
        settingsOf: Object.fromEntries(
          processes.map((name) => [
            name,
            { DORMOUSE_REDIS_URL: `redis://127.0.0.1:${redisLinks.get(name)?.port ?? 0}`, ...store.settingsOf(name) },
          ]),
        ),
        onDeath: ({ name }) => void deaths.push({ process: name, at: now() }),
      },
    }),
  );
  const all = resources.move();
  return {
    ...{ platform, redis, redisLinks, deaths },
    ...{ storeLinks: store.links, storeProxy: store.proxy, smallDisk: store.smallDisk, storeUrl: store.storeUrl },
    pidOf: (name) => (name === 'redis' ? redis.pid : platform.stack.processes.get(name)?.pid),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

interface Store {
  readonly storeUrl: string;
  readonly links: ReadonlyMap<string, TcpProxy>;
  readonly proxy?: FaultProxy;
  readonly smallDisk?: string;
  settingsOf(process: string): Record<string, string>;
}

async function startStore(
  faults: readonly FaultName[],
  folder: string,
  processes: readonly string[],
  resources: AsyncDisposableStack,
): Promise<Store> {
  if (faults.some(needsProxiedStore)) return startProxiedStore(folder, processes, resources);
  const place = path.join(folder, 'store');
  await mkdir(place);
  const base = { storeUrl: `file://${place}`, links: new Map(), settingsOf: () => ({}) };
  if (!faults.includes('disk-full')) return base;
  await execa('mount', ['-t', 'tmpfs', '-o', `size=${smallDiskMiB}m`, 'dormouse-chaos', place]);
  resources.defer(async () => {
    await execa('umount', [place]);
  });
  return { ...base, smallDisk: place };
}

/** Each process ─► its own TCP proxy ─► one HTTP proxy that understands requests ─► the S3 server. */
async function startProxiedStore(
  folder: string,
  processes: readonly string[],
  resources: AsyncDisposableStack,
): Promise<Store> {
  const server = resources.use(await startVersitygw({ dir: path.join(folder, 's3'), buckets: [bucket] }));
  Object.assign(process.env, server.environment); // for the checker's own client, and inherited by the stack
  const proxy = resources.use(await startFaultProxy(server.endpoint));
  const links = await linksTo(Number(new URL(proxy.endpoint).port), processes, resources);
  const storeUrl = server.storeUrl(bucket);
  const through = (port: number): string => {
    const url = new URL(storeUrl);
    url.searchParams.set('endpoint', `http://127.0.0.1:${port}`);
    return url.href;
  };
  return {
    ...{ storeUrl, links, proxy },
    settingsOf: (name) => ({ DORMOUSE_STORE: through(links.get(name)?.port ?? 0) }),
  };
}

async function linksTo(
  port: number,
  processes: readonly string[],
  resources: AsyncDisposableStack,
): Promise<ReadonlyMap<string, TcpProxy>> {
  const links = new Map<string, TcpProxy>();
  for (const name of processes) links.set(name, resources.use(await startTcpProxy(port)));
  return links;
}
