/**
 * Zygotes: the state of a VM whose agent had just come up, before any image was attached. Every VM of the same machine is
 * the same at that point, so whoever needs one that starts from nothing restores that state instead of booting.
 *
 *   <folder>/<key>/{memory,device,zygote.json}      key: digest of all that such a state depends on
 *
 * A zygote becomes visible whole, by a rename. One that is damaged, or that no VMM takes, is removed and counts as none.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { sha256OfFile } from '../../../shared/assets/asset-set.ts';
import { removeTree } from '../../../shared/process/remove-tree.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Capture, OwnState, SandboxSpec } from '../sandbox.ts';

const partSchema = z.object({ sha256: z.string() });
const recordSchema = z.object({ formatVersion: z.literal(1), memory: partSchema, device: partSchema });
const recordName = 'zygote.json';

export type MachineSize = Pick<SandboxSpec, 'memoryMiB' | 'vcpus'>;

export interface Zygotes {
  /** Undefined when there is none, or none that is whole. */
  find(size: MachineSize): Promise<OwnState | undefined>;
  /** It looked whole and could not be restored. */
  discard(size: MachineSize): Promise<void>;
  /** Keeps what `capture` writes into the folder it is given, unless one is there or being made. Failures are logged. */
  keep(size: MachineSize, capture: (folder: string) => Promise<Capture>): Promise<void>;
}

export interface ZygoteOptions {
  /** May be shared by all nodes of a machine. */
  readonly folder: string;
  /** Whatever a state depends on beside the size: asset set, accelerator, processor. */
  readonly origin: string;
  readonly log: Logger;
}

export function createZygotes({ folder, origin, log }: ZygoteOptions): Zygotes {
  const making = new Set<string>();
  const discard = (key: string): Promise<void> => removeTree(path.join(folder, key), folder);
  const keyOf = ({ memoryMiB, vcpus }: MachineSize): string =>
    createHash('sha256')
      .update(JSON.stringify([origin, memoryMiB, vcpus]))
      .digest('hex');
  return {
    async find(size) {
      const place = path.join(folder, keyOf(size));
      const found = await readWhole(place).catch(async (error: unknown) => {
        log.warn({ err: error, path: place }, 'a zygote is damaged, booting instead');
        await discard(keyOf(size));
        return undefined;
      });
      return found;
    },
    discard: (size) => discard(keyOf(size)),
    async keep(size, capture) {
      const key = keyOf(size);
      if (making.has(key)) return;
      making.add(key);
      const unfinished = path.join(folder, `.making-${process.pid}-${randomUUID()}`);
      try {
        await mkdir(unfinished, { recursive: true, mode: 0o700 });
        const { memory, device } = await capture(unfinished);
        const record = { formatVersion: 1, memory, device };
        await writeFile(path.join(unfinished, recordName), JSON.stringify(recordSchema.parse(record)));
        await rename(unfinished, path.join(folder, key));
        log.info({ ...size, sizeBytes: memory.sizeBytes + device.sizeBytes }, 'zygote kept');
      } catch (error) {
        log.info({ err: error }, 'no zygote was kept'); // another node may have been first
      } finally {
        making.delete(key);
        await removeTree(unfinished, folder).catch(() => undefined);
      }
    },
  };
}

/** Throws when something is there that is not whole. */
async function readWhole(place: string): Promise<OwnState | undefined> {
  const text = await readFile(path.join(place, recordName), 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const record = recordSchema.parse(JSON.parse(text));
  const [memoryPath, devicePath] = [path.join(place, 'memory'), path.join(place, 'device')];
  const digests = await Promise.all([sha256OfFile(memoryPath), sha256OfFile(devicePath)]);
  if (digests[0] !== record.memory.sha256 || digests[1] !== record.device.sha256) throw new Error('a part differs');
  return { memoryPath, devicePath };
}
