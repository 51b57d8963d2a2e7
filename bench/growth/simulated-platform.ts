/**
 * A platform whose nodes run simulated actors (worker/sandbox/simulated), with any number of api processes. Its store and
 * the folders of its nodes lie on a tmpfs: what is measured is the control plane, not a disk. Ends, with all it left, when disposed.
 */
import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { startPlatform, type Platform } from '../../e2e/platform.ts';
import { createChildren } from '../../infra/stack/children.ts';
import { apiSpec } from '../../infra/stack/processes.ts';
import { freePort } from '../../infra/servers/free-port.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { until } from '../../shared/process/until.ts';
import type { TemplateSpec } from '../../sdk/templates.ts';

export interface Size {
  readonly apis: number;
  readonly nodes: number;
  /** `DORMOUSE_SIMULATED_PHASES` */
  readonly phases: string;
  /** Jobs a node works on at once. */
  readonly jobs: number;
  readonly slots: number;
}

export interface SimulatedPlatform extends AsyncDisposable {
  readonly platform: Platform;
  readonly urls: readonly string[];
  readonly redisUrl: string;
  /** By kind of process: `api`, `worker`, `redis`. */
  readonly pids: Readonly<Record<string, readonly number[]>>;
  template(name: string): Promise<void>;
}

const tmpfs = '/dev/shm';
const startLimitMs = 30_000;
const stopLimitMs = 10_000;
const pollMs = 50;
/** No actor goes to sleep by itself while it is measured. */
const neverIdleMs = 3_600_000;
const memoryMiB = 128;

export async function startSimulatedPlatform(size: Size): Promise<SimulatedPlatform> {
  await using undo = new AsyncDisposableStack();
  const store = await mkdtemp(path.join(tmpfs, 'dormouse-growth-'));
  undo.defer(() => removeTree(store, tmpfs));
  const environment = {
    DORMOUSE_SANDBOX: 'simulated',
    DORMOUSE_SIMULATED_PHASES: size.phases,
    DORMOUSE_NODES: String(size.nodes),
    DORMOUSE_NODE_JOBS: String(size.jobs),
    DORMOUSE_NODE_SLOTS: String(size.slots),
    DORMOUSE_NODE_MEMORY_MIB: String(memoryMiB * size.slots),
    DORMOUSE_LOG_LEVEL: 'warn',
    // On a machine that is kept busy on purpose no node is to be taken for dead.
    DORMOUSE_LEASE_MS: '60000',
  };
  const home = await mkdtemp(path.join(tmpfs, 'dormouse-growth-'));
  undo.defer(() => removeTree(home, tmpfs));
  const platform = undo.use(await startPlatform({ storeUrl: `file://${store}`, environment, home }));
  const { config, processes } = platform.stack;
  const children = createChildren(platform.home, {});
  const names = Array.from({ length: size.apis - 1 }, (_, index) => `api-${index + 2}`);
  undo.defer(() => children.stop([{ title: 'stopping the other apis', names, limitMs: stopLimitMs }]));
  const urls = [platform.url];
  for (const name of names) {
    const port = await freePort();
    await children.start({ ...apiSpec({ ...config, port }), name });
    urls.push(`http://127.0.0.1:${port}`);
  }
  const ready = async (url: string): Promise<boolean> =>
    (await fetch(`${url}/readyz`).catch(() => undefined))?.ok === true;
  for (const url of urls) {
    await until(() => ready(url), {
      signal: AbortSignal.timeout(startLimitMs),
      everyMs: pollMs,
      what: `the api at ${url}`,
    });
  }
  const pids: Record<string, number[]> = {};
  for (const [name, { pid }] of [...processes, ...children.byName]) {
    if (pid !== undefined) (pids[/^node-/.test(name) ? 'worker' : (name.split('-')[0] ?? '')] ??= []).push(pid);
  }
  const resources = undo.move();
  return {
    ...{ platform, urls, pids, redisUrl: config.redisUrl },
    template: (name) => applySimulated(platform, name),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function applySimulated({ client }: Platform, name: string): Promise<void> {
  const container = { name: 'counter', image: 'oci:/simulated:counter', port: 8080 };
  const spec = { name, containers: [container], memoryMiB, idleTimeoutMs: neverIdleMs } as TemplateSpec;
  await client.templates.apply(spec);
  await client.templates.waitReady(name, { timeoutMs: startLimitMs });
}
