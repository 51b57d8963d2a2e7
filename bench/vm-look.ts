/**
 * The platform's VMs as the machine sees them: QEMU processes by their command lines, each with its virtiofsd, namespace
 * and address. A pool's VMs are among them; which one runs an actor is found by asking.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { DormouseError } from '../shared/errors/dormouse-error.ts';
import { uplinkName } from '../worker/network/names.ts';
import { getOnce } from './raw/http.ts';

export interface LookedAtVm {
  readonly vmmPid: number;
  readonly daemonPid: number | undefined;
  readonly memoryPath: string;
  /** For `nsenter --net=`. */
  readonly namespacePath: string;
  readonly address: string;
}

/** The counters tell who they are. A VM that only waits in a pool does not answer in this time, or at all. */
const askLimitMs = 3000;

export async function vmOf(home: string, actor: string, port: number, signal: AbortSignal): Promise<LookedAtVm> {
  for (const vm of await vmsBelow(home)) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(askLimitMs)]);
    const words = await getOnce(vm.address, port, '/identity', limit).catch(() => '{}');
    if ((JSON.parse(words) as { id?: string }).id === actor) return vm;
  }
  throw new DormouseError('internal', `no VM below ${home} says that it is ${actor}`);
}

export async function vmsBelow(home: string): Promise<LookedAtVm[]> {
  const processes = await processesBelow(home);
  const vmms = processes.filter(({ words }) => words.some((word) => word.startsWith('memory-backend-file,')));
  return Promise.all(
    vmms.map(async ({ pid, words }) => {
      const namespacePath = `/proc/${pid}/ns/net`;
      const folder = path.dirname(/path=([^,]*agent\.sock)/.exec(words.join(' '))?.[1] ?? '');
      const daemon = processes.find((other) =>
        other.words.some((word) => word.startsWith('--socket-path=') && word.includes(`${folder}/`)),
      );
      const memoryPath = /mem-path=([^,]+)/.exec(words.join(' '))?.[1] ?? '';
      const address = await uplinkAddress(namespacePath);
      return { vmmPid: pid, daemonPid: daemon?.pid, memoryPath, namespacePath, address };
    }),
  );
}

async function processesBelow(home: string): Promise<{ pid: number; words: string[] }[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.flatMap((pid, index) => {
    const line = lines[index] ?? '';
    return line.includes(`${home}/nodes/`) ? [{ pid: Number(pid), words: line.split('\0') }] : [];
  });
}

async function uplinkAddress(namespacePath: string): Promise<string> {
  const { stdout } = await execa('nsenter', [
    `--net=${namespacePath}`,
    'ip',
    '-4',
    '-o',
    'address',
    'show',
    uplinkName,
  ]);
  return /inet ([\d.]+)\//.exec(stdout)?.[1] ?? '';
}
