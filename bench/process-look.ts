/** What processes take of the machine, from /proc. */
import { readFile } from 'node:fs/promises';

/** The kernel's clock tick for user space: 100 a second on every architecture that Dormouse runs on. */
const ticksPerSecond = 100;

/** Processor time used so far, in milliseconds. */
export const cpuMs = (pids: readonly number[]): Promise<number> => ticksMs(pids.map((pid) => `/proc/${pid}/stat`));

async function ticksMs(files: readonly string[]): Promise<number> {
  const used = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(file, 'utf8');
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      return Number(fields[11]) + Number(fields[12]); // utime and stime, see proc_pid_stat(5)
    }),
  );
  return (used.reduce((sum, ticks) => sum + ticks, 0) * 1000) / ticksPerSecond;
}

/** Of that, what the processes' first threads used: of a Node process the one that runs its JavaScript. */
export const mainThreadCpuMs = (pids: readonly number[]): Promise<number> =>
  ticksMs(pids.map((pid) => `/proc/${pid}/task/${pid}/stat`));

export interface ProcessMemory {
  /** Its share of everything that it maps, in bytes. */
  readonly pssBytes: number;
  /** Of that, the mapping of one file: guest memory. */
  readonly pssOfFileBytes: number;
}

export async function memoryOf(pid: number, file: string): Promise<ProcessMemory> {
  let ofFile = false;
  let [pssBytes, pssOfFileBytes] = [0, 0];
  for (const line of (await readFile(`/proc/${pid}/smaps`, 'utf8')).split('\n')) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) ofFile = line.endsWith(` ${file}`);
    const kib = /^Pss: +(\d+) kB/.exec(line)?.[1];
    if (kib === undefined) continue;
    pssBytes += Number(kib) * 1024;
    if (ofFile) pssOfFileBytes += Number(kib) * 1024;
  }
  return { pssBytes, pssOfFileBytes };
}
