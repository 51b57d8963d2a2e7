/**
 * `npm run generate`: both sides of the agent's protocol from shared/proto/agent.proto, with the plugins that
 * package-lock.json and go.sum pin. `staleGeneratedFiles` makes them beside the tree and compares: the check.
 */
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { goEnvironment } from '../setup/go-environment.ts';
import { repositoryRoot, trackedFiles } from './tracked-files.ts';

/** The plugins are compiled on their first use. */
const limitMs = 300_000;

const generated = /^(shared\/proto\/gen\/|assets\/guest-agent\/.*\.pb\.go$)/;

export async function generate(into = repositoryRoot): Promise<void> {
  await execa('buf', ['generate', '--output', into], {
    cwd: repositoryRoot,
    preferLocal: true,
    env: await goEnvironment(),
    timeout: limitMs,
  });
}

/** The generated files that differ from what the sources give now, or that nothing gives any more. */
export async function staleGeneratedFiles(): Promise<string[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-generate-'));
  try {
    await generate(folder);
    const names = (await trackedFiles()).filter((name) => generated.test(name));
    const stale = await Promise.all(
      names.map(async (name) => {
        const [kept, fresh] = await Promise.all([
          readFile(path.join(repositoryRoot, name)),
          read(path.join(folder, name)),
        ]);
        return fresh?.equals(kept) === true ? undefined : name;
      }),
    );
    return stale.filter((name) => name !== undefined);
  } finally {
    await removeTree(folder, tmpdir());
  }
}

const read = (file: string): Promise<Buffer | undefined> => readFile(file).catch(() => undefined);

if (import.meta.main) await generate();
