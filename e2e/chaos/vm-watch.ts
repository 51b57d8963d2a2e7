/**
 * Watches the virtual machines from outside, as the kernel sees them: a log line is only as good as the process that
 * writes it, and that process may be stopped. A VM that is stopped, or dead, does not run.
 */
import { readFile } from 'node:fs/promises';
import { isInWaiting } from '../vm-states.ts';
import { now } from './history.ts';
import { processesBelow } from './faults/processes.ts';

/** A stretch in which a VM's process was seen able to run. */
export interface Sighting {
  readonly node: string;
  readonly sandbox: string;
  readonly pid: number;
  readonly from: number;
  to: number;
}

export interface VmWatch extends AsyncDisposable {
  readonly sightings: readonly Sighting[];
}

/** How exactly the end of a VM is known. */
export const lookEveryMs = 100;

const place = /=(\/[^ ,=]+\/nodes\/([^/]+)\/run\/[^/]+)\//;

export function watchVms(home: string): VmWatch {
  const sightings: Sighting[] = [];
  let current = new Map<string, Sighting>();
  let looking = Promise.resolve();
  const look = async (): Promise<void> => {
    const seen = new Map<string, Sighting>();
    const at = now();
    for (const { name, pid } of await processesBelow(home)) {
      const [, sandbox, node] = /qemu-system/.test(name) ? (place.exec(name) ?? []) : [];
      if (node === undefined || sandbox === undefined || isInWaiting(name) || !(await canRun(pid))) continue;
      const key = `${node} ${sandbox} ${pid}`;
      const sighting = current.get(key) ?? { node, sandbox, pid, from: at, to: at };
      if (!current.has(key)) sightings.push(sighting);
      sighting.to = now();
      seen.set(key, sighting);
    }
    current = seen;
  };
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, lookEveryMs);
  return {
    sightings,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await looking;
    },
  };
}

async function canRun(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const state = text.slice(text.lastIndexOf(')') + 2, text.lastIndexOf(')') + 3);
  return state !== '' && !'TtZX'.includes(state);
}
