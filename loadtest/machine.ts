/** What a figure depends on besides the code: the machine, the versions, the commit. Never the machine's name. */
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { execa } from 'execa';
import type { DormouseClient } from '../sdk/client.ts';

export interface Machine {
  readonly cpus: number;
  readonly cpuModel: string;
  readonly memoryMiB: number;
  /** Kernel and architecture. */
  readonly platform: string;
  /** Of the last minute: before the run and after it. Other work on the machine shows here. */
  readonly loadAverage: readonly number[];
}

export interface Versions {
  readonly node: string;
  readonly api: string | undefined;
  /** Each distinct runtime of the nodes: accelerator, VMM, guest kernel. */
  readonly runtimes: readonly string[];
}

export const currentLoad = (): number => loadavg()[0] ?? 0;

export const describeMachine = (loadBefore: number): Machine => ({
  cpus: availableParallelism(),
  cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
  memoryMiB: Math.round(totalmem() / 2 ** 20),
  platform: `Linux ${release()} ${process.arch}`,
  loadAverage: [loadBefore, currentLoad()],
});

export async function describeVersions(client: DormouseClient, signal: AbortSignal): Promise<Versions> {
  const [api, nodes] = await Promise.all([client.health.version({ signal }), client.nodes.list({ signal })]);
  const runtimes = nodes.map(({ runtime }) =>
    ['accelerator', 'vmm', 'vmmVersion', 'kernel'].map((name) => runtime[name]),
  );
  return { node: process.versions.node, api, runtimes: [...new Set(runtimes.map((words) => words.join(' ')))] };
}

/** Undefined outside a git repository. */
export async function describeCommit(): Promise<string | undefined> {
  const git = (...words: string[]) => execa('git', words, { cwd: import.meta.dirname, reject: false, timeout: 10_000 });
  const head = await git('rev-parse', 'HEAD');
  if (head.exitCode !== 0) return undefined;
  const changes = await git('status', '--porcelain', '--untracked-files=no');
  return changes.stdout === '' ? head.stdout : `${head.stdout}+changes`;
}
