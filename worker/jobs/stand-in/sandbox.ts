/**
 * Stands in for the micro-VM class where the jobs themselves are tested: what runs is one number, its memory a file with
 * that number (or, on top of earlier ones, what was counted since), and every part is written, digested and read back as the real class does. Real VMs are e2e's matter.
 */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { RuntimeKey } from '../../../shared/snapshot/manifest.ts';
import type { CapturedPart, Sandbox, SandboxClass } from '../../sandbox/sandbox.ts';

export const standInRuntime: RuntimeKey = {
  arch: 'amd64',
  vmm: 'qemu',
  vmmVersion: '10',
  accelerator: 'tcg',
  machine: 'q35',
  cpuModel: 'max',
  kernel: '6',
  agent: 'a',
};

/** A running number. A call counts it up. */
export interface Counter {
  readonly label: string;
  count: number;
  frozen: boolean;
  /** What it was restored with: a capture on top carries what was counted since. */
  readonly restored: number;
}

/** `live` gets every sandbox that runs, and loses it when it ends. */
export function standInClass(live: Set<Counter>): SandboxClass {
  const run = (label: string, count: number): Sandbox => {
    const counter: Counter = { label, count, frozen: false, restored: count };
    live.add(counter);
    return sandboxOf(counter, live);
  };
  return {
    runtime: standInRuntime,
    boot: (spec) => Promise.resolve(run(spec.label, 0)),
    prepare: (spec, baseMemoryPath) =>
      Promise.resolve({
        exited: new Promise(() => undefined),
        memoryBytes: 0,
        async restore({ memoryPaths, devicePath }) {
          await readFile(devicePath);
          const files = memoryPaths.length === 0 ? [baseMemoryPath ?? ''] : memoryPaths;
          const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
          return run(
            spec.label,
            texts.reduce((sum, text) => sum + Number(text), 0),
          );
        },
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
    unpackBase: (memory, _size, target) => writeFile(target, memory),
  };
}

const nothingInside = (): never => {
  throw new Error('nothing can be opened inside of a stand-in');
};
const noSessions: Sandbox['sessions'] = {
  exec: nothingInside,
  readFile: nothingInside,
  writeFile: nothingInside,
  logs: nothingInside,
};

function sandboxOf(counter: Counter, live: Set<Counter>): Sandbox {
  const requireLive = (): void => {
    if (!live.has(counter)) throw new Error(`${counter.label} has ended`);
  };
  return {
    address: '127.0.0.1',
    folder: '/nowhere', // no process stands behind it
    exited: new Promise(() => undefined),
    start: () => Promise.resolve(),
    rest: () => Promise.resolve(),
    sessions: noSessions,
    wake() {
      requireLive();
      return Promise.resolve();
    },
    freeze() {
      requireLive();
      counter.frozen = true;
      return Promise.resolve();
    },
    thaw() {
      requireLive();
      counter.frozen = false;
      return Promise.resolve();
    },
    async capture(folder, _base, _signal, options) {
      requireLive();
      const isOnTop = options?.mayLieOnTop === true;
      const carried = isOnTop ? counter.count - counter.restored : counter.count;
      const memory = await writePart(path.join(folder, 'memory'), String(carried));
      const device = await writePart(path.join(folder, 'device'), 'device');
      return { memorySizeBytes: 4096, pageCount: 1, comparedPages: 1, isOnTop, memory, device };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(void live.delete(counter)),
  };
}

async function writePart(file: string, text: string): Promise<CapturedPart> {
  await writeFile(file, text);
  return { path: file, sizeBytes: text.length, sha256: createHash('sha256').update(text).digest('hex') };
}
