/**
 * Zygotes: the state of a VM whose agent had just come up, before any image was attached. Every VM of the same machine is
 * the same at that point, so whoever needs one that starts from nothing restores that state instead of booting.
 *
 *   the machine's folder (shared/assets/zygote-folder.ts) ── none? ──► the store, if one was staged ── none? ──► a boot
 *
 * One that is damaged, or that no VMM takes, is removed and counts as none; the store is not asked for it again. What a boot
 * left behind goes into the store if the asset set came there too: then other machines do not boot.
 */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import {
  makeZygote,
  readZygote,
  zygoteKey,
  zygoteParts,
  zygoteRecordName,
  zygotesFolder,
  type ZygoteMachine,
} from '../../../shared/assets/zygote-folder.ts';
import { removeTree } from '../../../shared/process/remove-tree.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Capture, OwnState, SandboxSpec } from '../sandbox.ts';

export type MachineSize = Pick<SandboxSpec, 'memoryMiB' | 'vcpus'>;

export interface Zygotes {
  /** Undefined when there is none, or none that is whole. */
  find(size: MachineSize): Promise<OwnState | undefined>;
  /** Changes with the files that \`find\` reads, without a look at what is in them; empty when there are none. */
  mark(size: MachineSize): Promise<string>;
  /** It looked whole and could not be restored. */
  discard(size: MachineSize): Promise<void>;
  /** Keeps what `capture` writes into the folder it is given, unless one is there or being made. Failures are logged. */
  keep(size: MachineSize, capture: (folder: string) => Promise<Capture>): Promise<void>;
}

/** Where those of other machines come from and ours go to; each call has its own deadline. */
export interface ZygoteExchange {
  /** Brings it into the folder; false when there is none. */
  fetch(folder: string, machine: ZygoteMachine): Promise<boolean>;
  offer(folder: string, machine: ZygoteMachine): Promise<void>;
}

export interface ZygoteOptions {
  /** Of the asset sets; may be shared by all nodes of a machine. */
  readonly assetsFolder: string;
  /** Whatever a state depends on beside the size. */
  readonly origin: Pick<ZygoteMachine, 'assetSet' | 'runtime'>;
  readonly exchange?: ZygoteExchange;
  readonly log: Logger;
}

export function createZygotes({ assetsFolder, origin, exchange, log }: ZygoteOptions): Zygotes {
  const folder = zygotesFolder(assetsFolder);
  const making = new Set<string>();
  const refused = new Set<string>();
  const arriving = new Map<string, Promise<void>>();
  const machineOf = ({ memoryMiB, vcpus }: MachineSize): ZygoteMachine => ({ ...origin, memoryMiB, vcpus });
  const remove = (key: string): Promise<void> => removeTree(path.join(folder, key), folder);

  const local = async (key: string): Promise<OwnState | undefined> => {
    try {
      if ((await readZygote(folder, key)) === undefined) return undefined;
      return { memoryPaths: [path.join(folder, key, 'memory')], devicePath: path.join(folder, key, 'device') };
    } catch (error) {
      log.warn({ err: error, path: path.join(folder, key) }, 'a zygote is damaged, booting instead');
      await remove(key);
      return undefined;
    }
  };
  const fetch = (machine: ZygoteMachine): Promise<void> => {
    const key = zygoteKey(machine);
    const work =
      arriving.get(key) ??
      (exchange?.fetch(folder, machine) ?? Promise.resolve(false))
        .then((found) => found && log.info({ ...sizeOf(machine) }, 'zygote fetched'))
        .then(() => undefined)
        .catch((error: unknown) => log.info({ err: error }, 'no zygote was fetched'))
        .finally(() => arriving.delete(key));
    arriving.set(key, work);
    return work;
  };
  return {
    async find(size) {
      const machine = machineOf(size);
      const key = zygoteKey(machine);
      const found = await local(key);
      if (found !== undefined || exchange === undefined || refused.has(key)) return found;
      await fetch(machine);
      return await local(key);
    },
    async mark(size) {
      const files = [...zygoteParts, zygoteRecordName].map((name) =>
        path.join(folder, zygoteKey(machineOf(size)), name),
      );
      const marks = await Promise.all(files.map(markOf));
      return marks.includes('') ? '' : marks.join(' ');
    },
    async discard(size) {
      const key = zygoteKey(machineOf(size));
      refused.add(key);
      await remove(key);
    },
    async keep(size, capture) {
      const machine = machineOf(size);
      const key = zygoteKey(machine);
      if (making.has(key)) return;
      making.add(key);
      try {
        const { memory, device } = await makeZygote(folder, machine, capture);
        log.info({ ...size, sizeBytes: memory.sizeBytes + device.sizeBytes }, 'zygote kept');
        // Nobody waits for it: the VM that it was taken from is about to go on.
        void exchange
          ?.offer(folder, machine)
          .catch((error: unknown) => log.warn({ err: error }, 'a zygote was not staged'));
      } catch (error) {
        log.info({ err: error }, 'no zygote was kept'); // another node may have been first
      } finally {
        making.delete(key);
      }
    },
  };
}

async function markOf(file: string): Promise<string> {
  const found = await stat(file, { bigint: true }).catch(() => undefined);
  return found === undefined ? '' : [found.ino, found.size, found.mtimeNs].join('.');
}

const sizeOf = ({ memoryMiB, vcpus }: ZygoteMachine): MachineSize => ({ memoryMiB, vcpus });
