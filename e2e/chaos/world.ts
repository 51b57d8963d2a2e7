/**
 * The platform under test and the ways to break it: a stack on free ports under a temporary home, a Redis, a store and,
 * where faults need it, small disks of our own, and a proxy in front of Redis and the store for each process.
 */
import { cp, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { startPlatform, type Platform } from '../platform.ts';
import { removeTable } from './faults/firewall.ts';
import type { FaultName } from './faults/names.ts';
import { now } from './history.ts';
import { folderOf, ownOwner, tableOf } from './owner.ts';
import { startChaosRedis, type ChaosRedis } from './redis.ts';
import { mountSmallDisk } from './small-disk.ts';
import { linksTo, startStore, type ChaosStore } from './store.ts';
import { sweepDeadRuns, sweepWhenInterrupted } from './sweep.ts';
import type { TcpProxy } from './tcp-proxy.ts';

export interface Death {
  readonly process: string;
  readonly at: number;
}

export interface World extends AsyncDisposable {
  readonly platform: Platform;
  /** Holds everything of the run. */
  readonly folder: string;
  readonly redis: ChaosRedis;
  readonly store: ChaosStore;
  /** By process: its way to Redis. */
  readonly redisLinks: ReadonlyMap<string, TcpProxy>;
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

/** The image, the cached golden and what is on its way to the store; a guest's memory is not on this disk. */
const nodesDiskMiB = 256;

export async function startWorld(options: WorldOptions): Promise<World> {
  await using resources = new AsyncDisposableStack();
  await sweepDeadRuns();
  const folder = folderOf(ownOwner());
  await mkdir(folder);
  resources.defer(() => removeTree(folder, tmpdir()));
  resources.defer(() => removeTable(tableOf(ownOwner())));
  resources.use(sweepWhenInterrupted(folder));
  const home = path.join(folder, 'home');
  await mkdir(home);
  if (options.faults.includes('disk-full')) await mountSmallDisk(path.join(home, 'nodes'), nodesDiskMiB, resources);
  // After the platform has stopped, so that its last words are there too.
  const { logs } = options;
  if (logs !== undefined) resources.defer(() => cp(path.join(home, 'logs'), logs, { recursive: true }));
  const processes = ['api', ...Array.from({ length: options.nodes }, (_, index) => `node-${index + 1}`)];
  const redis = resources.use(await startChaosRedis(path.join(folder, 'redis')));
  const redisLinks = await linksTo(redis.port, processes, resources);
  const store = await startStore(options.faults, path.join(folder, 'store'), processes, resources);
  const deaths: Death[] = [];
  const platform = resources.use(
    await startPlatform({
      home,
      storeUrl: store.url,
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
    ...{ platform, folder, redis, store, redisLinks, deaths },
    pidOf: (name) => (name === 'redis' ? redis.pid : platform.stack.processes.get(name)?.pid),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
