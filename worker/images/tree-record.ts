/**
 * The record of a digested tree: one JSON line per entry, beside the tree it describes. Checking a tree against its record
 * is an lstat call for each entry, for every wake waits for it; the tree is walked, and contents are read again, only when a
 * stamp differs.
 */
import { lstatSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { absolutePath, digestEntry, identityOf, treeDigestOf, walkTree, type DigestedEntry } from './tree.ts';

const lineSchema = z.tuple([z.string(), z.string(), z.number(), z.number(), z.number(), z.string(), z.string()]);

export interface RecordedTree {
  readonly treeDigest: string;
  readonly entries: number;
}

export type TreeCheck =
  | { readonly outcome: 'same'; readonly treeDigest: string; readonly contentsRead: boolean }
  | { readonly outcome: 'different'; readonly treeDigest: string; readonly differences: readonly string[] };

/** Digests the whole tree and writes its record. */
export function recordTree(root: string, recordFile: string): RecordedTree {
  const entries = digestedTree(root);
  writeRecord(recordFile, entries);
  return { treeDigest: treeDigestOf(entries), entries: entries.length };
}

export function checkTree(root: string, recordFile: string): TreeCheck {
  const recorded = readRecord(root, recordFile);
  if (recorded.stamps.every(isUntouched)) {
    return { outcome: 'same', treeDigest: recorded.treeDigest, contentsRead: false };
  }
  const digested = digestedTree(root);
  const treeDigest = treeDigestOf(digested);
  if (treeDigest !== recorded.treeDigest) {
    return { outcome: 'different', treeDigest, differences: firstDifferences(recorded.entries, digested) };
  }
  writeRecord(recordFile, digested); // touched, but the same: the next check is cheap again
  return { outcome: 'same', treeDigest, contentsRead: true };
}

/**
 * File systems stamp with the time of the kernel's last tick, which is up to 10 ms ago. What is recorded must be older than
 * that, or a change right after it could carry the same stamp.
 */
const tickMs = 20;

function digestedTree(root: string): DigestedEntry[] {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, tickMs);
  return [...walkTree(root)].map((entry) => digestEntry(root, entry));
}

/** What lstat said of an entry, as it is compared: numbers, for words made of them would cost more than the calls. */
interface Stamp {
  readonly path: Buffer;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly ino: bigint;
}

/**
 * Mode, owner and type cannot change without the ctime, and a folder's names not without its own: no entry is new, or gone,
 * when all that were recorded are as they were.
 */
function isUntouched(stamp: Stamp): boolean {
  const now = lstatSync(stamp.path, { bigint: true, throwIfNoEntry: false });
  return (
    now?.ctimeNs === stamp.ctimeNs && now.mtimeNs === stamp.mtimeNs && now.size === stamp.size && now.ino === stamp.ino
  );
}

// Enough to see what happened; a whole image replaced would list every file of it.
const differenceLimit = 10;

function firstDifferences(recorded: readonly DigestedEntry[], present: readonly DigestedEntry[]): string[] {
  const before = new Map(recorded.map((entry) => [entry.path, identityOf(entry)]));
  const after = new Map(present.map((entry) => [entry.path, identityOf(entry)]));
  const changes = [
    ...present
      .filter(({ path }) => before.get(path) !== after.get(path))
      .map(({ path }) => ({ path, word: before.has(path) ? 'changed' : 'added' })),
    ...recorded.filter(({ path }) => !after.has(path)).map(({ path }) => ({ path, word: 'removed' })),
  ];
  return changes
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .slice(0, differenceLimit)
    .map(({ path, word }) => `${word}: ${Buffer.from(path, 'latin1').toString() || '/'}`);
}

function writeRecord(recordFile: string, entries: readonly DigestedEntry[]): void {
  const lines = entries.map((entry) =>
    JSON.stringify([entry.path, entry.type, entry.mode, entry.uid, entry.gid, entry.stamp, entry.content]),
  );
  writeFileSync(`${recordFile}.new`, lines.join('\n'));
  renameSync(`${recordFile}.new`, recordFile);
}

interface LoadedRecord {
  readonly root: string;
  readonly fileStamp: string;
  readonly entries: readonly DigestedEntry[];
  readonly stamps: readonly Stamp[];
  readonly treeDigest: string;
}

/** Records read by this thread: a check would else spend more time on reading its record than on the tree. */
const loaded = new Map<string, LoadedRecord>();

function readRecord(root: string, recordFile: string): LoadedRecord {
  const { ino, mtimeNs } = statSync(recordFile, { bigint: true });
  const fileStamp = `${ino} ${mtimeNs}`;
  const known = loaded.get(recordFile);
  if (known?.fileStamp === fileStamp && known.root === root) return known;
  const entries = readFileSync(recordFile, 'utf8').split('\n').map(toDigestedEntry);
  const stamps = entries.map((entry) => stampOf(root, entry));
  const record = { root, fileStamp, entries, stamps, treeDigest: treeDigestOf(entries) };
  loaded.set(recordFile, record);
  return record;
}

function stampOf(root: string, entry: DigestedEntry): Stamp {
  const [size = 0n, mtimeNs = 0n, ctimeNs = 0n, ino = 0n] = entry.stamp.split(' ').map(BigInt);
  return { path: absolutePath(root, entry), size, mtimeNs, ctimeNs, ino };
}

function toDigestedEntry(line: string): DigestedEntry {
  const [path, type, mode, uid, gid, stamp, content] = lineSchema.parse(JSON.parse(line));
  return { path, type, mode, uid, gid, stamp, content };
}
