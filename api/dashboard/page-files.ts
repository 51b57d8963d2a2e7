/**
 * The dashboard's files, read once at the start, and the digest of them all. It is part of their address, so a browser may
 * keep them for ever, and modules that import each other are always of one version.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

const mediaTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface PageFile {
  readonly mediaType: string;
  readonly content: Buffer;
}

export interface PageFiles {
  /** By path in the folder, with `/` between its parts. */
  readonly files: ReadonlyMap<string, PageFile>;
  readonly digest: string;
}

/** Long enough that two versions never share one, short enough to be read in a log. */
const digestLength = 16;

export async function readPageFiles(folder: string): Promise<PageFiles> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile() && path.extname(entry.name) in mediaTypes)
    .map(({ parentPath, name }) => path.relative(folder, path.join(parentPath, name)).replaceAll(path.sep, '/'))
    .sort();
  const files = new Map<string, PageFile>();
  const hash = createHash('sha256');
  for (const name of names) {
    const content = await readFile(path.join(folder, name));
    files.set(name, { content, mediaType: mediaTypes[path.extname(name)] ?? 'application/octet-stream' });
    hash.update(`${name}\0${content.length}\0`).update(content);
  }
  return { files, digest: hash.digest('hex').slice(0, digestLength) };
}
