/** Follows the memory of the platform's long-lived processes on this machine. */
import { localProcesses } from './local-platform.ts';
import { memoryTrend, type MemoryPoint } from './verdict.ts';
import type { LeakReport } from '../result/result.ts';

export interface MemoryLog {
  /** Looks once. */
  look(): Promise<void>;
  /** The trend of every process that was there at the first look and at the last. */
  trends(): LeakReport['memory'];
}

export function createMemoryLog(home: string): MemoryLog {
  const began = performance.now();
  const points = new Map<string, MemoryPoint[]>();
  let looks = 0;
  return {
    async look() {
      const seconds = (performance.now() - began) / 1000;
      for (const { name, rssMiB } of await localProcesses(home)) {
        const known = points.get(name);
        if (known !== undefined) known.push([seconds, rssMiB]);
        else if (looks === 0) points.set(name, [[seconds, rssMiB]]);
      }
      looks++;
    },
    trends: () =>
      [...points].filter(([, seen]) => seen.length === looks).map(([name, seen]) => memoryTrend(name, seen)),
  };
}
