/**
 * A sandbox class without VMs, for measuring everything else: each actor is a counter in the worker's own process that
 * takes the phase times of a VM. Chosen by `DORMOUSE_SANDBOX=simulated` alone. Its runtime key is its own, so a simulated
 * node never loads a real snapshot, nor a real node one of its.
 *
 * Not simulated: the work of a VM (processor, memory bandwidth, bytes to the store), and a lease that lapses, which
 * refuses calls but stops no process, since there is none to stop.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { hostArchitecture } from '../../../shared/assets/asset-folder.ts';
import type { RuntimeKey } from '../../../shared/snapshot/manifest.ts';
import type { PhaseClock } from '../phase-clock.ts';
import type { SandboxClass } from '../sandbox.ts';
import { counterServers } from './counter-server.ts';
import { readMemory } from './memory.ts';
import { take, type PhaseTimes, type SimulatedPhase } from './phase-times.ts';
import { simulated } from './simulated.ts';

export const simulatedRuntime: RuntimeKey = {
  arch: hostArchitecture(),
  vmm: 'simulated',
  vmmVersion: '1',
  accelerator: 'none',
  machine: 'none',
  cpuModel: 'none',
  kernel: 'none',
  agent: 'none',
};

export function simulatedClass(options: { readonly times: PhaseTimes; readonly runFolder: string }): SandboxClass {
  const { times, runFolder } = options;
  const servers = counterServers();
  let counter = 0;
  const nextFolder = (): string => path.join(runFolder, String(++counter));
  const phase = (clock: PhaseClock, name: SimulatedPhase, signal: AbortSignal): Promise<void> =>
    clock.measure(name, () => take(times, name, signal));
  const prepare = async (clock: PhaseClock, signal: AbortSignal): Promise<void> => {
    await phase(clock, 'network', signal);
    await phase(clock, 'lower', signal);
  };
  return {
    runtime: simulatedRuntime,
    async boot(spec, clock, signal) {
      await prepare(clock, signal);
      await phase(clock, 'vmm', signal);
      await phase(clock, 'boot', signal);
      return await simulated({ spec, times, servers, folder: nextFolder(), memory: { count: 0, ports: [] } });
    },
    async prepare(spec, baseMemoryPath, clock, signal) {
      await prepare(clock, signal);
      await Promise.all([phase(clock, 'vmm', signal), phase(clock, 'memory', signal)]);
      return {
        exited: new Promise(() => undefined), // nothing stands behind it that could end
        memoryBytes: 0,
        async restore({ memoryPaths }, restoreClock, restoreSignal) {
          const memory = readMemory(memoryPaths.at(-1) ?? baseMemoryPath ?? '');
          await phase(restoreClock, 'load', restoreSignal);
          return await simulated({ spec, times, servers, folder: nextFolder(), memory });
        },
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
    },
    unpackBase: (memory, _memorySizeBytes, target) => writeFile(target, memory),
  };
}
