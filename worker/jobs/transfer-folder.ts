/** A folder for one job's files, made when the first of them comes and gone with the job. */
import { mkdtemp, readdir, rmdir, unlink } from 'node:fs/promises';
import path from 'node:path';
import { removeTree } from '../../shared/process/remove-tree.ts';

export interface TransferFolder extends AsyncDisposable {
  path(): Promise<string>;
  /** Lets go of it when the job ends. */
  use(held: Disposable): void;
}

export function openTransferFolder(parent: string): TransferFolder {
  const held = new DisposableStack();
  let made: Promise<string> | undefined;
  return {
    path: () => (made ??= mkdtemp(path.join(parent, 'job-'))),
    use: (each) => void held.use(each),
    async [Symbol.asyncDispose]() {
      held.dispose();
      const folder = await made?.catch(() => undefined); // whoever asked for it was told
      if (folder !== undefined) await remove(folder, parent);
    },
  };
}

/** Two files as a rule, and a job ends many times a second; what holds more takes the guarded way. */
async function remove(folder: string, parent: string): Promise<void> {
  try {
    const names = await readdir(folder);
    await Promise.all(names.map((name) => unlink(path.join(folder, name))));
    await rmdir(folder);
  } catch {
    await removeTree(folder, parent);
  }
}
