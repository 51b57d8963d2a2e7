/**
 * The platform as a user runs it, for tests: the local stack on free ports under a temporary home, and a client of its
 * public API. Disposing it stops everything and fails if anything was left behind.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readStackConfig } from '../infra/stack/config.ts';
import { builtTemplates } from '../infra/stack/bundled-templates.ts';
import { startStack, type Stack, type StartOptions } from '../infra/stack/stack.ts';
import { findLeftovers, type Leftover } from '../infra/test/leftovers.ts';
import { lookAround } from '../infra/test/surroundings.ts';
import type { BundledTemplate } from '../infra/templates/build.ts';
import { removeTree } from '../shared/process/remove-tree.ts';
import { networkOwner } from '../worker/node/network-owner.ts';
import { createClient, type DormouseClient } from '../sdk/client.ts';
import type { TemplateSpec } from '../sdk/templates.ts';

export interface Platform extends AsyncDisposable {
  readonly client: DormouseClient;
  readonly url: string;
  readonly home: string;
  readonly stack: Stack;
  /** Applies a bundled template, perhaps under another name and with other settings, and waits until it is ready. */
  template(name: BundledTemplate, changes?: Partial<TemplateSpec>): Promise<TemplateSpec>;
  /** The end of a process's log, for messages. */
  log(process: string): Promise<string>;
}

export interface PlatformOptions {
  readonly storeUrl?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Uses this home and leaves it, for tests that start a second time. */
  readonly home?: string;
  readonly start?: StartOptions;
}

const logTailBytes = 4000;

export async function startPlatform(options: PlatformOptions = {}): Promise<Platform> {
  const home = options.home ?? (await makeHome());
  const before = await lookAround(home);
  const stack = await startStack(
    readStackConfig({
      DORMOUSE_ASSETS: process.env['DORMOUSE_ASSETS'] ?? path.resolve('.dormouse/assets'),
      DORMOUSE_HOME: home,
      DORMOUSE_PORT: '0',
      ...(options.storeUrl !== undefined && { DORMOUSE_STORE: options.storeUrl }),
      ...options.environment,
    }),
    options.start,
  );
  // Tests see every refusal as it comes.
  const client = createClient({ url: stack.url, retries: 0 });
  return {
    client,
    home,
    stack,
    url: stack.url,
    async template(name, changes = {}) {
      const built = (await builtTemplates([name]))[name];
      assert.ok(built, `the bundled template ${name} was not built`);
      const spec = { ...built.spec, ...changes } as TemplateSpec;
      await client.templates.apply(spec);
      await client.templates.waitReady(spec.name, { timeoutMs: 120_000 });
      return spec;
    },
    async log(name) {
      const text = await readFile(path.join(home, 'logs', `${name}.log`), 'utf8').catch(() => '(no log)');
      return text.slice(-logTailBytes);
    },
    async [Symbol.asyncDispose]() {
      await stack.stop();
      const left = (await findLeftovers(home, before)).filter((item) => isOurs(item, home, stack.nodes));
      if (options.home === undefined) await removeTree(home, tmpdir());
      assert.deepEqual(left, [], 'the platform left something behind');
    },
  };
}

/** Other stacks may run on this machine: of what belongs to the network, only what bears this home's names is ours. */
export function isOurs({ kind, what }: Leftover, home: string, nodes: readonly string[]): boolean {
  if (kind === 'file') return false; // the home itself is removed below, or wanted by the next start
  const ofNetwork = kind === 'network namespace' || kind === 'network device' || kind === 'firewall table';
  return !ofNetwork || nodes.some((node) => what.includes(networkOwner(home, node)));
}

export const makeHome = (): Promise<string> => mkdtemp(path.join(tmpdir(), 'dm-e2e-'));
