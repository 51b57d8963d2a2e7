/**
 * One worker per node folder. The lock is an abstract socket, which the kernel takes back when its process ends however it
 * ends; so whoever gets it knows that the boot recorded in the folder is over, and every VM of it with it.
 *
 * Failure: `precondition-missing` when another worker runs with this folder.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';

export interface NodeLock extends AsyncDisposable {
  /** The boot that ran here before, now certainly over. */
  readonly deadBootId: string | undefined;
}

export async function lockNode(folder: string, bootId: string): Promise<NodeLock> {
  const name = createHash('sha256').update(path.resolve(folder)).digest('hex').slice(0, 32);
  const server = createServer((socket) => socket.destroy());
  try {
    server.listen(`\0dormouse-node-${name}`);
    await once(server, 'listening');
  } catch (cause) {
    throw new DormouseError('precondition-missing', `another worker runs with the folder ${folder}: stop it first`, {
      cause,
    });
  }
  const file = path.join(folder, 'boot-id');
  const deadBootId = await readFile(file, 'utf8').catch(() => undefined); // a node's first start
  await writeFile(`${file}.partial`, bootId);
  await rename(`${file}.partial`, file);
  return {
    deadBootId,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
