/**
 * Whose a run is. What the kernel keeps when a driver dies (a folder with mounts in it, network namespaces, a firewall
 * table) bears the driver's pid and the moment at which it started, which together never come back. So whoever looks
 * later knows whether that driver is still there, and what is its own to remove (sweep.ts).
 */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface Owner {
  readonly pid: number;
  /** In clock ticks since the machine started. */
  readonly startedAt: number;
}

export function ownOwner(): Owner {
  const startedAt = startOf(process.pid);
  if (startedAt === undefined) throw new Error('this process does not see itself in /proc');
  return { pid: process.pid, startedAt };
}

export const isAlive = ({ pid, startedAt }: Owner): boolean => startOf(pid) === startedAt;

/** Short, because the path of every socket of a run begins with it. */
const marks = ({ pid, startedAt }: Owner, mark: string): string =>
  ['', pid.toString(36), startedAt.toString(36)].join(mark);

export const folderOf = (owner: Owner): string => path.join(tmpdir(), `dm-chaos${marks(owner, '-')}`);
export const tableOf = (owner: Owner): string => `dormouse_chaos${marks(owner, '_')}`;

/** Undefined for what is no name of a run. */
export function ownerOf(name: string): Owner | undefined {
  const [, pid, startedAt] = /^(?:dm-chaos-|dormouse_chaos_)([0-9a-z]+)[-_]([0-9a-z]+)$/.exec(name) ?? [];
  if (pid === undefined || startedAt === undefined) return undefined;
  return { pid: Number.parseInt(pid, 36), startedAt: Number.parseInt(startedAt, 36) };
}

/** Undefined when there is no such process, or only what waits for its parent to take note of its end. */
function startOf(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' '); // from the third field of proc(5) on: the state
    return fields[0] === 'Z' ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
}
