/** The store of a run: a folder, or where faults need it, an S3 server with proxies in front of it for each process. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { startVersitygw } from '../../infra/servers/versitygw.ts';
import { startFaultProxy, type FaultProxy } from '../../shared/object-store/fault-proxy.ts';
import { needsProxiedStore, type FaultName } from './faults/names.ts';
import { mountSmallDisk } from './small-disk.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

export interface ChaosStore {
  /** As the checker reads it, past all proxies. */
  readonly url: string;
  readonly links: ReadonlyMap<string, TcpProxy>;
  readonly proxy?: FaultProxy;
  /** Where all of it lies. */
  readonly folder: string;
  settingsOf(process: string): Record<string, string>;
}

const bucket = 'dormouse';
/** A golden, and some hundred small generations. */
const smallDiskMiB = 768;

export async function startStore(
  faults: readonly FaultName[],
  folder: string,
  processes: readonly string[],
  resources: AsyncDisposableStack,
): Promise<ChaosStore> {
  await mkdir(folder);
  if (faults.includes('store-full')) await mountSmallDisk(folder, smallDiskMiB, resources);
  if (faults.some(needsProxiedStore)) return startProxiedStore(folder, processes, resources);
  const objects = path.join(folder, 'objects');
  await mkdir(objects);
  return { url: `file://${objects}`, folder, links: new Map(), settingsOf: () => ({}) };
}

/** Each process ─► its own TCP proxy ─► one HTTP proxy that understands requests ─► the S3 server. */
async function startProxiedStore(
  folder: string,
  processes: readonly string[],
  resources: AsyncDisposableStack,
): Promise<ChaosStore> {
  const server = resources.use(await startVersitygw({ dir: folder, buckets: [bucket] }));
  Object.assign(process.env, server.environment); // for the checker's own client, and inherited by the stack
  const proxy = resources.use(await startFaultProxy(server.endpoint));
  const links = await linksTo(Number(new URL(proxy.endpoint).port), processes, resources);
  const url = server.storeUrl(bucket);
  const through = (port: number): string => {
    const detour = new URL(url);
    detour.searchParams.set('endpoint', `http://127.0.0.1:${port}`);
    return detour.href;
  };
  return {
    ...{ url, folder, links, proxy },
    settingsOf: (name) => ({ DORMOUSE_STORE: through(links.get(name)?.port ?? 0) }),
  };
}

export async function linksTo(
  port: number,
  processes: readonly string[],
  resources: AsyncDisposableStack,
): Promise<ReadonlyMap<string, TcpProxy>> {
  const links = new Map<string, TcpProxy>();
  for (const name of processes) links.set(name, resources.use(await startTcpProxy(port)));
  return links;
}
