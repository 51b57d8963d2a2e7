/**
 * What a machine holds that could be ours, as sets of readable lines: processes, network namespaces and devices, firewall
 * tables, mounts, sockets, files. Two looks, before and after, tell what was left behind (leftovers.ts).
 *
 * "Ours" is what names the marker, a folder under which everything of a run lives: a process has it in its command line
 * or in its environment (as TMPDIR or DORMOUSE_HOME), a mount and a socket have it in their path. What belongs to the
 * network carries no path: there, every new one with a name of our kind counts (worker/network/names.ts).
 */
import { readdir, readFile } from 'node:fs/promises';
import { execa } from 'execa';

export const kinds = [
  'process',
  'network namespace',
  'network device',
  'firewall table',
  'mount',
  'socket',
  'file',
] as const;
export type Kind = (typeof kinds)[number];
export type Surroundings = Readonly<Record<Kind, ReadonlySet<string>>>;

export async function lookAround(marker: string): Promise<Surroundings> {
  const [processes, namespaces, devices, tables, mounts, sockets, files] = await Promise.all([
    markedProcesses(marker),
    namesIn('/run/netns', /^dm-/),
    namesIn('/sys/class/net', /^d[a-z0-9]{1,8}-/),
    firewallTables(),
    linesOf('/proc/self/mountinfo', marker, mountPoint),
    linesOf('/proc/net/unix', marker, socketPath),
    namesIn(marker, /./),
  ]);
  return {
    process: processes,
    'network namespace': namespaces,
    'network device': devices,
    'firewall table': tables,
    mount: mounts,
    socket: sockets,
    file: files,
  };
}

const mountPoint = (line: string): string => line.split(' ')[4] ?? line;
const socketPath = (line: string): string => line.split(' ').at(-1) ?? line;

/** Processes of ours, without this one and the ones that started it: those run the check. */
async function markedProcesses(marker: string): Promise<Set<string>> {
  const own = await ancestry(process.pid);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && !own.has(name));
  const found = await Promise.all(pids.map((pid) => describeIfMarked(pid, marker)));
  return new Set(found.filter((line) => line !== undefined));
}

async function describeIfMarked(pid: string, marker: string): Promise<string | undefined> {
  const [commandLine, environment] = await Promise.all([read(`/proc/${pid}/cmdline`), read(`/proc/${pid}/environ`)]);
  if (!commandLine.includes(marker) && !environment.includes(marker)) return undefined;
  return `${pid} ${commandLine.replaceAll('\0', ' ').trim().slice(0, 200)}`;
}

async function ancestry(pid: number): Promise<Set<string>> {
  const found = new Set<string>();
  for (let next = String(pid); next !== '0' && next !== '' && !found.has(next); next = await parentOf(next))
    found.add(next);
  return found;
}

/** The command name, in parentheses, may itself contain anything: the parent is the second field after the last one. */
async function parentOf(pid: string): Promise<string> {
  const fields = await read(`/proc/${pid}/stat`);
  return fields.slice(fields.lastIndexOf(')') + 2).split(' ')[1] ?? '';
}

async function namesIn(folder: string, pattern: RegExp): Promise<Set<string>> {
  const names = await readdir(folder).catch(() => []);
  return new Set(names.filter((name) => pattern.test(name)).map((name) => `${folder}/${name}`));
}

async function firewallTables(): Promise<Set<string>> {
  const listed = await execa('nft', ['list', 'tables'], { reject: false });
  return new Set(listed.failed ? [] : listed.stdout.split('\n').filter((line) => line.includes(' dormouse_')));
}

async function linesOf(file: string, marker: string, nameIn: (line: string) => string): Promise<Set<string>> {
  const lines = (await read(file)).split('\n');
  return new Set(lines.filter((line) => line.includes(marker)).map(nameIn));
}

/** Empty for what has gone meanwhile. */
const read = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');
