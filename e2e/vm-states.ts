/** The VMs of a platform's actors as the kernel sees them: how many of them could be executing something at this moment. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import path from 'node:path';
import { processesMarked } from '../worker/node/vm-processes.ts';

const runFolder = /\/\S+?\/nodes\/[^/]+\/run\/[^/ ,]+/;

/** What a VM's folder says about it until an actor takes it: nothing while it is made, then `ready`. */
function waitingMark(commandLine: string): string | undefined {
  const [folder] = runFolder.exec(commandLine.replaceAll('\0', ' ').replaceAll('=', ' ')) ?? [];
  try {
    return folder && readFileSync(path.join(folder, 'unused'), 'utf8');
  } catch {
    return undefined; // an actor has it, or it is over
  }
}

/** Of a VM that has never run. */
export const isInWaiting = (commandLine: string): boolean => waitingMark(commandLine) !== undefined;
/** The same, and the next wake can have it. */
export const isReadyInWaiting = (commandLine: string): boolean => waitingMark(commandLine) === 'ready';

/** On the command line of a VMM, and not of the file system daemon beside it. */
const vmmMark = 'memory-backend-file';

export interface VmState {
  readonly node: string;
  readonly pid: number;
  readonly state: 'running' | 'stopped';
}

export function vmsOf(home: string): VmState[] {
  const nodes = path.join(home, 'nodes') + path.sep;
  return processesMarked(nodes).flatMap(({ pid, commandLine }) => {
    const state = stateOf(pid);
    if (!commandLine.includes(vmmMark) || state === 'over' || isInWaiting(commandLine)) return [];
    const node = commandLine.slice(commandLine.indexOf(nodes) + nodes.length).split(path.sep)[0] ?? '';
    return [{ node, pid, state }];
  });
}

/** The third field of /proc/<pid>/stat, after the command name in parentheses. */
function stateOf(pid: number): VmState['state'] | 'over' {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const letter = text.slice(text.lastIndexOf(')') + 2)[0];
    if (letter === 'Z' || letter === 'X') return 'over';
    return letter === 'T' ? 'stopped' : 'running';
  } catch {
    return 'over';
  }
}

export interface Sampling extends AsyncDisposable {
  /** The most VMs that were seen running at once. */
  readonly mostAtOnce: number;
}

/** Looks again and again until disposed. With one actor on the platform, two running VMs are two activations. */
export function sampleVms(home: string): Sampling {
  const stop = new AbortController();
  let mostAtOnce = 0;
  const sampling = (async () => {
    while (!stop.signal.aborted) {
      const running = vmsOf(home).filter(({ state }) => state === 'running').length;
      mostAtOnce = Math.max(mostAtOnce, running);
      await delay(20, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  })();
  return {
    get mostAtOnce() {
      return mostAtOnce;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await sampling;
    },
  };
}
