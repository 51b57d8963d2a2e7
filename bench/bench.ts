/**
 * What the cases of one run share. Platforms and raw actors are started when the first case asks for them and end with the
 * run: raw actors first, because they live in a platform's home, whose clean-up looks for what anyone left there.
 */
import path from 'node:path';
import { makeHome, startPlatform, type Platform } from '../e2e/platform.ts';
import { startVersitygw } from '../infra/servers/versitygw.ts';
import { removeTree } from '../shared/process/remove-tree.ts';
import type { TemplateSpec } from '../shared/template/template-spec.ts';
import { networkOwner } from '../worker/node/network-owner.ts';
import { bundledSpec } from './bundled-spec.ts';
import { lendEnvironment, type Settings, type TemplateName } from './config.ts';
import type { Figures } from './figures.ts';
import { createRawActor, type RawActor } from './raw/actor.ts';
import { openGuest, type RawGuest, type RawOptions } from './raw/guest.ts';

/** A local folder, or a real S3 server on loopback. */
export type StoreName = 'file' | 's3';

export interface Bench {
  readonly settings: Settings;
  readonly figures: Figures;
  readonly signal: AbortSignal;
  readonly failures: string[];
  say(text: string): void;
  platform(store: StoreName): Promise<Platform>;
  raw(template: TemplateName): Promise<RawActor>;
  /** What raw VMs of a case's own are made of; the caller disposes it. */
  rawGuest(name: string, spec: TemplateSpec): Promise<RawGuest & AsyncDisposable>;
}

export interface BenchOptions {
  readonly settings: Settings;
  readonly assetsFolder: string;
  readonly figures: Figures;
  readonly signal: AbortSignal;
  say(text: string): void;
}

export function createBench(options: BenchOptions): Bench & AsyncDisposable {
  const resources = new AsyncDisposableStack();
  const raws = new Map<TemplateName, Promise<RawActor>>();
  const platforms = new Map<StoreName, Promise<Platform>>();

  const start = async (store: StoreName): Promise<Platform> => {
    options.say(`starting a platform (${store} store)`);
    const environment = { DORMOUSE_ASSETS: options.assetsFolder };
    const storeUrl = store === 's3' ? await startS3(resources) : undefined;
    const start = { cancel: options.signal };
    return resources.use(await startPlatform({ environment, start, ...(storeUrl !== undefined && { storeUrl }) }));
  };
  const rawOptions = async (name: string, spec: TemplateSpec): Promise<RawOptions> => {
    const { home, client } = await bench.platform('file');
    const [node] = await client.nodes.list({ signal: options.signal });
    return {
      home: path.join(home, `raw-${name}`),
      assetsFolder: options.assetsFolder,
      accelerator: node?.runtime['accelerator'] === 'kvm' ? 'kvm' : 'tcg',
      networkOwner: networkOwner(home, `raw-${name}`),
      spec,
    };
  };
  const startRaw = async (template: TemplateName): Promise<RawActor> => {
    options.say(`raw harness: booting ${template}`);
    return resources.use(await createRawActor(await rawOptions(template, await bundledSpec(template)), options.signal));
  };
  const bench: Bench = {
    ...options,
    failures: [],
    platform(store) {
      const known = platforms.get(store) ?? start(store);
      platforms.set(store, known);
      return known;
    },
    raw(template) {
      const known = raws.get(template) ?? startRaw(template);
      raws.set(template, known);
      return known;
    },
    rawGuest: async (name, spec) => openGuest(await rawOptions(name, spec), options.signal),
  };
  return {
    ...bench,
    async [Symbol.asyncDispose]() {
      // What is still being started when a run is broken off must have started, or failed, before it can be ended.
      await Promise.allSettled([...platforms.values(), ...raws.values()]);
      await resources.disposeAsync();
    },
  };
}

/** The url of a bucket on a server of its own. */
async function startS3(resources: AsyncDisposableStack): Promise<string> {
  const dir = await makeHome();
  resources.defer(() => removeTree(dir, path.dirname(dir)));
  const server = resources.use(await startVersitygw({ dir, buckets: ['bench'] }));
  lendEnvironment(server.environment);
  return server.storeUrl('bench');
}
