/** What a figure depends on besides the code: the machine, the versions, the commit. Never the machine's name. */
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { execa } from 'execa';
import type { DormouseClient } from '../sdk/client.ts';
import type { RunResult } from './result/result.ts';

export const currentLoad = (): number => loadavg()[0] ?? 0;

export const describeMachine = (loadBefore: number): RunResult['machine'] => ({
  cpus: availableParallelism(),
  cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
  memoryMiB: Math.round(totalmem() / 2 ** 20),
  platform: `Linux ${release()} ${process.arch}`,
  loadAverage: [loadBefore, currentLoad()],
});

/** Without a client: of this program alone. */
export async function describeVersions(
  client: DormouseClient | undefined,
  signal: AbortSignal,
): Promise<RunResult['versions']> {
  const { node } = process.versions;
  if (client === undefined) return { node, runtimes: [] };
  const [api, nodes] = await Promise.all([client.health.version({ signal }), client.nodes.list({ signal })]);
  const runtimes = nodes.map(({ runtime }) =>
    ['accelerator', 'vmm', 'vmmVersion', 'kernel'].map((name) => runtime[name]),
  );
  const distinct = [...new Set(runtimes.map((words) => words.join(' ')))];
  return { node, ...(api === undefined ? {} : { api }), runtimes: distinct };
}

/** Undefined outside a git repository. */
export async function describeCommit(): Promise<string | undefined> {
  const git = (...words: string[]) => execa('git', words, { cwd: import.meta.dirname, reject: false, timeout: 10_000 });
  const head = await git('rev-parse', 'HEAD');
  if (head.exitCode !== 0) return undefined;
  const changes = await git('status', '--porcelain', '--untracked-files=no');
  return changes.stdout === '' ? head.stdout : `${head.stdout}+changes`;
}
