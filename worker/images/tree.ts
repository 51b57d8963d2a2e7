/**
 * Reads a root file system as one sorted list of entries. An entry's identity (path, type, mode, owner, content) is what
 * the tree digest covers; its stamp (size, times, inode) is what tells cheaply that it cannot have changed: nobody can set
 * a ctime. Hard links count as their contents. Not covered: times, which differ from node to node, and extended
 * attributes, which Node.js cannot read.
 * Everything here is synchronous, for a worker thread. Names are bytes on Linux: a path is held as latin1, one character
 * a byte, so that any name survives.
 */
import { createHash } from 'node:crypto';
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, type BigIntStats } from 'node:fs';

export interface TreeEntry {
  readonly path: string;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly stamp: string;
}

export interface DigestedEntry extends TreeEntry {
  /** sha256 of a file, target of a link, number of a device. */
  readonly content: string;
}

const slash = Buffer.from('/');

/** Depth first, by the bytes of the names, the root itself first as ''. */
export function* walkTree(root: string): Generator<TreeEntry> {
  const rootBytes = Buffer.from(root);
  const pending: Buffer[] = [Buffer.alloc(0)];
  for (let relative = pending.pop(); relative !== undefined; relative = pending.pop()) {
    const absolute = Buffer.concat([rootBytes, relative]);
    const stats = lstatSync(absolute, { bigint: true });
    yield toEntry(relative, stats);
    if (!stats.isDirectory()) continue;
    const names = readdirSync(absolute, { encoding: 'buffer' }).sort((a, b) => Buffer.compare(b, a));
    for (const name of names) pending.push(Buffer.concat([relative, slash, name]));
  }
}

function toEntry(relative: Buffer, stats: BigIntStats): TreeEntry {
  return {
    path: relative.toString('latin1'),
    type: typeOf(stats),
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    stamp: [stats.size, stats.mtimeNs, stats.ctimeNs, stats.ino, stats.rdev].join(' '),
  };
}

function typeOf(stats: BigIntStats): string {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'link';
  if (stats.isCharacterDevice()) return 'character-device';
  if (stats.isBlockDevice()) return 'block-device';
  return stats.isFIFO() ? 'fifo' : 'socket';
}

export const absolutePath = (root: string, { path }: TreeEntry): Buffer =>
  Buffer.concat([Buffer.from(root), Buffer.from(path, 'latin1')]);

export const digestEntry = (root: string, entry: TreeEntry): DigestedEntry => ({
  ...entry,
  content: contentOf(absolutePath(root, entry), entry),
});

function contentOf(absolute: Buffer, entry: TreeEntry): string {
  if (entry.type === 'file') return hashFile(absolute);
  if (entry.type === 'link') return readlinkSync(absolute, { encoding: 'buffer' }).toString('latin1');
  return entry.type.endsWith('-device') ? (entry.stamp.split(' ').at(-1) ?? '') : '';
}

// Large enough that system calls do not count, small enough for the processor's cache.
const chunk = Buffer.allocUnsafe(1024 * 1024);

function hashFile(absolute: Buffer): string {
  const hash = createHash('sha256');
  const fd = openSync(absolute, 'r');
  try {
    for (let length = readSync(fd, chunk); length > 0; length = readSync(fd, chunk))
      hash.update(chunk.subarray(0, length));
  } finally {
    closeSync(fd);
  }
  return hash.digest('hex');
}

/** What the tree digest covers of an entry, as one line. */
export const identityOf = ({ path, type, mode, uid, gid, content }: DigestedEntry): string =>
  JSON.stringify([path, type, mode, uid, gid, content]);

export function treeDigestOf(entries: readonly DigestedEntry[]): string {
  const hash = createHash('sha256');
  for (const entry of entries) hash.update(identityOf(entry)).update('\n');
  return `sha256:${hash.digest('hex')}`;
}
