/**
 * Zygotes on a machine: the state of a VM whose agent had just come up, before any image was attached, beside the asset sets
 * that it was booted from.
 *
 *   <assetsDir>/zygotes/<key>/{memory,device,zygote.json}      key: digest of the machine it is the state of
 *
 * One becomes visible whole, by a rename. Failures: `asset-invalid` for one that is damaged or lies under another's key.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { DormouseError } from '../errors/dormouse-error.ts';
import { removeTree } from '../process/remove-tree.ts';
import { runtimeKeySchema } from '../snapshot/manifest.ts';
import { sha256OfFile } from './asset-set.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** Far more than the memory of a guest that has only booted. */
const maxPartBytes = 4 * 1024 ** 3;
const partSchema = z.object({ sha256, sizeBytes: z.number().int().nonnegative().max(maxPartBytes) });

/** All that the state of a VM that has just booted depends on. */
const machineSchema = z.object({
  assetSet: sha256,
  runtime: runtimeKeySchema,
  memoryMiB: z.number().int().positive(),
  vcpus: z.number().int().positive(),
});
export type ZygoteMachine = z.infer<typeof machineSchema>;

/** Counts up also when what a VM is booted with changes: then those that were booted otherwise lie under other keys. */
const formatVersion = 3;

export const zygoteRecordSchema = z.object({
  formatVersion: z.literal(formatVersion),
  machine: machineSchema,
  memory: partSchema,
  device: partSchema,
});
export type ZygoteRecord = z.infer<typeof zygoteRecordSchema>;

export const zygoteParts = ['memory', 'device'] as const;
export const zygoteRecordName = 'zygote.json';

export function zygoteKey({ assetSet, runtime, memoryMiB, vcpus }: ZygoteMachine): string {
  const fields = Object.entries(runtime).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([formatVersion, assetSet, fields, memoryMiB, vcpus]))
    .digest('hex');
}

/** Believes nothing: the text may come from a store. */
export function parseZygote(key: string, text: string): ZygoteRecord {
  try {
    const record = zygoteRecordSchema.parse(JSON.parse(text));
    if (zygoteKey(record.machine) !== key) throw new Error('it is that of another machine');
    return record;
  } catch (cause) {
    throw new DormouseError('asset-invalid', `the description of the zygote ${key} cannot be read`, { cause });
  }
}

export const zygotesFolder = (assetsDir: string): string => path.join(assetsDir, 'zygotes');

/** Every byte of it is read. Undefined when there is none. */
export async function readZygote(folder: string, key: string): Promise<ZygoteRecord | undefined> {
  const text = await readFile(path.join(folder, key, zygoteRecordName), 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const record = parseZygote(key, text);
  await Promise.all(
    zygoteParts.map(async (name) => {
      const file = path.join(folder, key, name);
      if ((await sha256OfFile(file)) === record[name].sha256) return;
      throw new DormouseError('asset-invalid', `${file} has other contents than it should`);
    }),
  );
  return record;
}

/** Keys of those of an asset set, whole or not. */
export async function listZygotes(folder: string, assetSet: string): Promise<ZygoteRecord[]> {
  const found: ZygoteRecord[] = [];
  for (const key of await readdir(folder).catch(() => [])) {
    const text = await readFile(path.join(folder, key, zygoteRecordName), 'utf8').catch(() => undefined);
    if (text === undefined) continue; // not finished
    const record = zygoteRecordSchema.safeParse(parseJson(text));
    if (record.success && record.data.machine.assetSet === assetSet) found.push(record.data);
  }
  return found;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `fill` writes the parts into the folder it is given and says what they are. Of two makers of the same one the first stands. */
export async function makeZygote(
  folder: string,
  machine: ZygoteMachine,
  fill: (unfinished: string) => Promise<Pick<ZygoteRecord, 'memory' | 'device'>>,
): Promise<ZygoteRecord> {
  const unfinished = path.join(folder, `.making-${process.pid}-${randomUUID()}`);
  try {
    await mkdir(unfinished, { recursive: true, mode: 0o700 });
    const { memory, device } = await fill(unfinished);
    const record = zygoteRecordSchema.parse({ formatVersion, machine, memory, device });
    await writeFile(path.join(unfinished, zygoteRecordName), JSON.stringify(record));
    await rename(unfinished, path.join(folder, zygoteKey(machine)));
    return record;
  } finally {
    await removeTree(unfinished, folder).catch(() => undefined);
  }
}
