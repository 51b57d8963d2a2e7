/**
 * What the platform's processes hold on this machine, from /proc: for a platform on loopback, whose home is known. A
 * process is the platform's when its command line, environment or working folder names the home (Redis overwrites the
 * first two); this program and whoever started it are not. Network namespaces carry no home in their name: all of Dormouse's on the machine are counted. What vanishes
 * while it is looked at counts as gone.
 */
import { readdir, readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import type { Counts } from './verdict.ts';

export interface LocalProcess {
  readonly pid: string;
  /** What it runs, e.g. `worker/main.ts 4711`. */
  readonly name: string;
  readonly rssMiB: number;
}

export async function countLocal(home: string): Promise<Counts> {
  const processes = await localProcesses(home);
  const descriptors = await Promise.all(processes.map(({ pid }) => namesIn(`/proc/${pid}/fd`)));
  const mounts = (await read('/proc/self/mountinfo')).split('\n').filter((line) => mentions(line, home));
  const namespaces = (await namesIn('/run/netns')).filter((name) => name.startsWith('dm-'));
  return {
    processes: processes.length,
    descriptors: descriptors.reduce((sum, names) => sum + names.length, 0),
    'network namespaces': namespaces.length,
    mounts: mounts.length,
  };
}

export async function localProcesses(home: string): Promise<LocalProcess[]> {
  const own = await ancestry(process.pid);
  const pids = (await namesIn('/proc')).filter((name) => /^\d+$/.test(name) && !own.has(name));
  const found = await Promise.all(pids.map((pid) => describe(pid, home)));
  return found.filter((one) => one !== undefined);
}

async function describe(pid: string, home: string): Promise<LocalProcess | undefined> {
  const [commandLine, environment, folder] = await Promise.all([
    read(`/proc/${pid}/cmdline`),
    read(`/proc/${pid}/environ`),
    readlink(`/proc/${pid}/cwd`).catch(() => ''),
  ]);
  const isOurs = [commandLine, folder].some((text) => mentions(text, home));
  if (!isOurs && !environment.includes(`DORMOUSE_HOME=${home}\0`)) return undefined;
  const rssKiB = Number(/^VmRSS:\s+(\d+) kB/m.exec(await read(`/proc/${pid}/status`))?.[1] ?? 0);
  return { pid, name: `${programOf(commandLine)} ${pid}`, rssMiB: rssKiB / 1024 };
}

/** As a whole path: /srv/a is not in /srv/ab. */
const mentions = (text: string, home: string): boolean =>
  text
    .split(home)
    .slice(1)
    .some((rest) => !/^[\w.-]/.test(rest));

/** The script of an interpreter says more than its own name; two segments tell api/main.ts from worker/main.ts. */
function programOf(commandLine: string): string {
  const words = commandLine.split('\0');
  const script = words.find((word) => /\.(ts|mjs|js)$/.test(word));
  if (script !== undefined) return script.split(path.sep).slice(-2).join('/');
  return path.basename(words[0]?.split(' ')[0] ?? '');
}

async function ancestry(pid: number): Promise<Set<string>> {
  const found = new Set<string>();
  for (let next = String(pid); next !== '0' && next !== '' && !found.has(next);) {
    found.add(next);
    next = /^PPid:\s+(\d+)/m.exec(await read(`/proc/${next}/status`))?.[1] ?? '';
  }
  return found;
}

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
const read = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');
