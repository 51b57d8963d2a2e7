/**
 * VMMs and file system daemons die with their worker; this makes sure of it before the node's folders are used again.
 * Only processes whose command line names a path below the node's own folder are touched.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { until } from '../../shared/process/until.ts';

const limitMs = 10_000;

export async function endProcessesUsing(folder: string): Promise<number> {
  const found = await processesUsing(folder);
  for (const pid of found) killIfThere(pid);
  const signal = AbortSignal.timeout(limitMs);
  await until(async () => (await processesUsing(folder)).length === 0, {
    signal,
    everyMs: 20,
    what: `the processes of ${folder} to end`,
  });
  return found.length;
}

async function processesUsing(folder: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name)).map(Number);
  const needle = Buffer.from(`${folder}${path.sep}run${path.sep}`);
  const checks = pids.map(async (pid) => {
    if (pid === process.pid) return false;
    const commandLine = await readFile(`/proc/${pid}/cmdline`).catch(() => Buffer.alloc(0)); // it may have ended
    return commandLine.includes(needle);
  });
  const uses = await Promise.all(checks);
  return pids.filter((_pid, index) => uses[index] === true);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
