/**
 * Which accelerator a node uses: KVM only after a guest really booted with it. A device node that opens proves nothing:
 * nested hosts that only run paravirtual guests hang in it. The answer is kept beside the asset sets until the machine
 * boots again, so one node finds it out for all.
 */
import { constants } from 'node:fs';
import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { removeTree } from '../../../../shared/process/remove-tree.ts';
import type { AssetSet } from '../../../../shared/assets/asset-set.ts';
import type { Logger } from '../../../../shared/telemetry/logger.ts';
import { connectAgent } from '../../../guest/agent-client.ts';
import { createMemoryFile } from '../microvm.ts';
import { qemuClass, type Accelerator } from './class.ts';

/** With working KVM the guest answers in well under a second; without, never. */
const probeLimitMs = 4000;
const probeMemoryMiB = 256;

const verdictSchema = z.object({ bootId: z.string(), assets: z.string(), accelerator: z.enum(['kvm', 'tcg']) });

export interface ProbeFolders {
  /** Where the answer is kept. */
  readonly verdict: string;
  /** Where a probe may put its sockets and memory; this node's own. */
  readonly scratch: string;
}

export async function chooseAccelerator(set: AssetSet, folders: ProbeFolders, log: Logger): Promise<Accelerator> {
  const openable = await access('/dev/kvm', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!openable) return 'tcg';
  const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  const file = path.join(folders.verdict, 'accelerator.json');
  const known = await readVerdict(file);
  if (known?.bootId === bootId && known.assets === set.contents.digest) return known.accelerator;
  const accelerator = (await bootsUnderKvm(set, path.join(folders.scratch, 'probe'), log)) ? 'kvm' : 'tcg';
  const partial = `${file}.${process.pid}`;
  await writeFile(partial, JSON.stringify({ bootId, assets: set.contents.digest, accelerator }));
  await rename(partial, file);
  return accelerator;
}

async function readVerdict(file: string): Promise<z.infer<typeof verdictSchema> | undefined> {
  try {
    return verdictSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined; // none yet, or of another version
  }
}

async function bootsUnderKvm(set: AssetSet, folder: string, log: Logger): Promise<boolean> {
  const signal = AbortSignal.timeout(probeLimitMs);
  const startedAt = performance.now();
  await using resources = new AsyncDisposableStack();
  await mkdir(folder, { recursive: true });
  resources.defer(() => removeTree(folder, path.dirname(folder)));
  try {
    const memoryPath = path.join(folder, 'memory');
    await createMemoryFile(memoryPath, probeMemoryMiB * 1024 * 1024);
    const options = { folder, memoryPath, memoryMiB: probeMemoryMiB, vcpus: 1, mode: 'boot' } as const;
    const vmm = resources.use(await qemuClass(set, 'kvm').launch(options, signal));
    const agent = connectAgent(vmm.agentSocket);
    resources.defer(() => agent.close());
    await vmm.run(signal);
    await Promise.race([agent.hello(probeLimitMs), vmm.exited.then((words) => Promise.reject(new Error(words)))]);
    log.info({ ms: Math.round(performance.now() - startedAt) }, 'a guest booted under kvm');
    return true;
  } catch (error) {
    log.info({ err: error instanceof Error ? error.message : error }, 'kvm does not run a guest here, using emulation');
    return false;
  }
}
