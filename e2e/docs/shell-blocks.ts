/**
 * The commands that our pages tell a reader to type: every fenced `sh` block. One that cannot run in a test says why on
 * its opening fence, ```` ```sh not-run="needs a cluster" ````, which no reader of the rendered page sees.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

export interface ShellBlock {
  readonly page: string;
  /** Of the opening fence, from 1. */
  readonly line: number;
  readonly commands: string;
  /** Why it is not run; undefined when it is. */
  readonly notRun: string | undefined;
}

const fence = /^```(\S*)\s*(.*)$/;
const reason = /^not-run="([^"]+)"$/;

/** Throws on a fence that is not closed, and on an unknown word behind `sh`. */
export function shellBlocks(page: string, markdown: string): ShellBlock[] {
  const blocks: ShellBlock[] = [];
  let open:
    { readonly line: number; readonly language: string; readonly info: string; readonly text: string[] } | undefined;
  for (const [index, text] of markdown.split('\n').entries()) {
    const match = fence.exec(text);
    if (match === null) {
      open?.text.push(text);
    } else if (open === undefined) {
      open = { line: index + 1, language: match[1] ?? '', info: match[2] ?? '', text: [] };
    } else {
      if (/^(sh|bash|shell|console)$/.test(open.language)) blocks.push(closed(page, open));
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`${page}:${open.line}: this fence is never closed`);
  return blocks;
}

function closed(page: string, { line, info, text }: { line: number; info: string; text: string[] }): ShellBlock {
  const notRun = reason.exec(info)?.[1];
  if (info !== '' && notRun === undefined) throw new Error(`${page}:${line}: "${info}" is no reason: not-run="…"`);
  return { page, line, commands: text.join('\n'), notRun };
}

/** README.md and everything below docs/, in the order a reader would take. */
export async function pagesOf(repository: string): Promise<string[]> {
  const below = await readdir(path.join(repository, 'docs'), { recursive: true });
  const pages = below.filter((name) => name.endsWith('.md')).map((name) => path.join('docs', name));
  return ['README.md', ...pages.sort()];
}

export async function blocksOf(repository: string, page: string): Promise<ShellBlock[]> {
  return shellBlocks(page, await readFile(path.join(repository, page), 'utf8'));
}
