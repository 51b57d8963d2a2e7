/**
 * The record of a digested tree: one JSON line per entry, beside the tree it describes. Checking a tree against its record
 * is a walk of lstat calls; contents are read again only when a stamp differs.
 */
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { digestEntry, identityOf, treeDigestOf, walkTree, type DigestedEntry, type TreeEntry } from './tree.ts';

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
  const entries = [...walkTree(root)].map((entry) => digestEntry(root, entry));
  writeRecord(recordFile, entries);
  return { treeDigest: treeDigestOf(entries), entries: entries.length };
}

export function checkTree(root: string, recordFile: string): TreeCheck {
  const recorded = readRecord(recordFile);
  const present = [...walkTree(root)];
  if (sameStamps(recorded.entries, present)) {
    return { outcome: 'same', treeDigest: recorded.treeDigest, contentsRead: false };
  }
  const digested = present.map((entry) => digestEntry(root, entry));
  const treeDigest = treeDigestOf(digested);
  if (treeDigest !== recorded.treeDigest) {
    return { outcome: 'different', treeDigest, differences: firstDifferences(recorded.entries, digested) };
  }
  writeRecord(recordFile, digested); // touched, but the same: the next check is cheap again
  return { outcome: 'same', treeDigest, contentsRead: true };
}

function sameStamps(recorded: readonly TreeEntry[], present: readonly TreeEntry[]): boolean {
  return recorded.length === present.length && recorded.every((entry, index) => sameStamp(entry, present[index]));
}

function sameStamp(a: TreeEntry, b: TreeEntry | undefined): boolean {
  return (
    a.path === b?.path &&
    a.stamp === b.stamp &&
    a.type === b.type &&
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid
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
  readonly fileStamp: string;
  readonly entries: readonly DigestedEntry[];
  readonly treeDigest: string;
}

/** Records read by this thread: a check would else spend more time on reading its record than on the tree. */
const loaded = new Map<string, LoadedRecord>();

function readRecord(recordFile: string): LoadedRecord {
  const { ino, mtimeNs } = statSync(recordFile, { bigint: true });
  const fileStamp = `${ino} ${mtimeNs}`;
  const known = loaded.get(recordFile);
  if (known?.fileStamp === fileStamp) return known;
  const entries = readFileSync(recordFile, 'utf8').split('\n').map(toDigestedEntry);
  const record = { fileStamp, entries, treeDigest: treeDigestOf(entries) };
  loaded.set(recordFile, record);
  return record;
}

function toDigestedEntry(line: string): DigestedEntry {
  const [path, type, mode, uid, gid, stamp, content] = lineSchema.parse(JSON.parse(line));
  return { path, type, mode, uid, gid, stamp, content };
}
