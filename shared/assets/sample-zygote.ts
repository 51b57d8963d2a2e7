/** A zygote of a few bytes for tests, in the folder of a machine that the sample asset set is on. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeZygote, zygoteParts, type ZygoteMachine, type ZygoteRecord } from './zygote-folder.ts';

export const sampleMachine = (assetSet: string): ZygoteMachine => ({
  assetSet,
  runtime: {
    ...{ arch: 'amd64', vmm: 'qemu', vmmVersion: '10.0.13', accelerator: 'tcg' },
    ...{ machine: 'q35', cpuModel: 'max', kernel: '6.12.0-sample', agent: 'a' },
  },
  memoryMiB: 256,
  vcpus: 1,
});

export async function writeSampleZygote(folder: string, machine: ZygoteMachine, text: string): Promise<ZygoteRecord> {
  return await makeZygote(folder, machine, async (unfinished) => {
    const [memory, device] = await Promise.all(
      zygoteParts.map(async (name) => {
        const bytes = Buffer.from(`${name} of ${text}`);
        await writeFile(path.join(unfinished, name), bytes);
        return { sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length };
      }),
    );
    if (memory === undefined || device === undefined) throw new Error('a zygote has two parts');
    return { memory, device };
  });
}
