/**
 * VMMs and file system daemons die with their worker, and its watchdog sees to it; this makes sure before the node's
 * folders are used again. A watchdog of an earlier worker goes first: one that was stopped until now would take our VMs
 * for those of its own worker.
 */
import { until } from '../../shared/process/until.ts';
import { processesMarked, signalAll, vmMark, watchdogMark } from './vm-processes.ts';

const limitMs = 10_000;

export async function endLeftovers(nodeFolder: string): Promise<void> {
  await endAll(watchdogMark(nodeFolder));
  await endVms(nodeFolder);
}

export const endVms = (nodeFolder: string): Promise<void> => endAll(vmMark(nodeFolder));

/** Asks again at each look: a process that was being started is ended too. */
async function endAll(mark: string): Promise<void> {
  const noneLeft = (): boolean => {
    const found = processesMarked(mark);
    signalAll(found, 'SIGKILL');
    return found.length === 0;
  };
  await until(noneLeft, { signal: AbortSignal.timeout(limitMs), everyMs: 20, what: `the processes of ${mark} to end` });
}
