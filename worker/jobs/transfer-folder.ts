/** A folder for one job's files, gone with the job. */
import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { removeTree } from '../../shared/process/remove-tree.ts';

export interface TransferFolder extends AsyncDisposable {
  readonly path: string;
}

export async function createTransferFolder(parent: string): Promise<TransferFolder> {
  const folder = await mkdtemp(path.join(parent, 'job-'));
  return { path: folder, [Symbol.asyncDispose]: () => removeTree(folder, parent) };
}
