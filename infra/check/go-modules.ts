/** The Go modules of the project: folders with a go.mod, relative to the repository. */
import path from 'node:path';
import { trackedFiles } from './tracked-files.ts';

export async function goModules(): Promise<string[]> {
  return (await trackedFiles()).filter((name) => path.basename(name) === 'go.mod').map((name) => path.dirname(name));
}
