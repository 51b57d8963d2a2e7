/** The Go modules of the project, and the environment that the go command runs in. */
import path from 'node:path';
import { trackedFiles } from './tracked-files.ts';

/** Folders with a go.mod, relative to the repository. */
export async function goModules(): Promise<string[]> {
  return (await trackedFiles()).filter((name) => path.basename(name) === 'go.mod').map((name) => path.dirname(name));
}

export function goEnvironment(): Promise<Record<string, string>> {
  return Promise.resolve({});
}
