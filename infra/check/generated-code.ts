/** Whether the generated code that is committed is what its sources give: generated again beside the tree, and compared. */
import { mkdir, mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { generatedFolders, generateProtocol } from '../../assets/generate.ts';
import { generatedTexts } from '../generate/generated-texts.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { repositoryRoot, trackedFiles } from './tracked-files.ts';

/** The files that differ from what the sources give now, that nothing gives any more, or that are missing. */
export async function staleGeneratedFiles(): Promise<string[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-generate-'));
  try {
    for (const name of generatedFolders) await mkdir(path.join(folder, name), { recursive: true });
    await generateProtocol(folder);
    const names = new Set([...(await committedFiles()), ...(await filesBelow(folder))]);
    const compared = await Promise.all([...names].map(async (name) => ((await isSame(name, folder)) ? [] : [name])));
    return [...compared.flat(), ...(await staleTexts())].sort();
  } finally {
    await removeTree(folder, tmpdir());
  }
}

async function staleTexts(): Promise<string[]> {
  const stale: string[] = [];
  for (const [name, text] of Object.entries(generatedTexts)) {
    const committed = await read(path.join(repositoryRoot, name));
    if (committed?.toString() !== (await text())) stale.push(name);
  }
  return stale;
}

async function committedFiles(): Promise<string[]> {
  const isGenerated = (name: string) => generatedFolders.some((folder) => name.startsWith(`${folder}/`));
  return (await trackedFiles()).filter(isGenerated);
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
}

async function isSame(name: string, folder: string): Promise<boolean> {
  const [committed, fresh] = await Promise.all([read(path.join(repositoryRoot, name)), read(path.join(folder, name))]);
  return committed !== undefined && fresh !== undefined && committed.equals(fresh);
}

const read = (file: string): Promise<Buffer | undefined> => readFile(file).catch(() => undefined);
