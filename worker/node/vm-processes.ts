/**
 * Finds and signals the processes of this node's VMs. Every one of them (VMM, file system daemon) names a path below the
 * node's run folder on its command line; nothing else does. Reading and signalling are one synchronous step, so no order
 * that arrives meanwhile can come between them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface FoundProcess {
  readonly pid: number;
  readonly commandLine: string;
}

/** What all command lines of a node's VM processes contain. */
export const vmMark = (nodeFolder: string): string => path.join(nodeFolder, 'run') + path.sep;

/** On the command line of the node's watchdog, and of nothing else. */
export const watchdogMark = (nodeFolder: string): string => path.join(nodeFolder, 'watchdog') + path.sep;

/** Every process but this one whose command line contains the mark. */
export function processesMarked(mark: string): FoundProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name) && Number(name) !== process.pid)
    .map((name) => ({ pid: Number(name), commandLine: commandLineOf(name) }))
    .filter(({ commandLine }) => commandLine.includes(mark));
}

export function signalAll(processes: readonly FoundProcess[], signal: NodeJS.Signals): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended by itself.
    }
  }
}

/** Empty for what has ended meanwhile. */
function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
