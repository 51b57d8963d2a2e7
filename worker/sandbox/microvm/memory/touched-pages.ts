/**
 * Which pages of a memory file processes may have written through a mapping of it, by the kernel's page tables: a page
 * that a process wrote is present in its pagemap (or on its way to another place in memory, which shows as swapped).
 * Pages that were only read are among them too; comparing tells them apart.
 *
 * The page tables are complete as long as nothing takes entries out of them. What could is looked for, and then every
 * page counts as touched (`undefined`):
 *
 *   memory was swapped out since the VM began   the machine's counters say so
 *   the daemon mapped the memory anew           it is told to when a guest resets the device; the *token*, a page that
 *                                               was faulted in when the VM began to run, is then gone
 *   a process has no mapping of the file        it cannot be looked at
 *
 * Huge pages, for which the kernel would also drop entries, are forbidden where memory files lie (node/folders.ts).
 */
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { addPages, emptyPageSet, hasPage, unionOf, type PageSet } from './page-set.ts';
import { pageSizeBytes } from './page-stream.ts';

/** In a pagemap entry's higher half: present in memory, or swapped or migrating. Both were touched. */
const touchedMask = 0xc0000000;
const entryBytes = 8;
const halvesPerEntry = 2;
/** Read at once: the entries of 128 MiB. */
const maxEntries = 32_768;

interface Mapping {
  readonly address: number;
  readonly sizeBytes: number;
  readonly fileOffset: number;
}

export interface TouchWatch {
  readonly memoryPath: string;
  readonly memorySizeBytes: number;
  readonly vmmPid: number;
  readonly daemonPid: number;
  /** What pagesSwappedOut() said before the VM's processes began to write. */
  readonly swappedOut: number | undefined;
}

/** The first page of memory: firmware's and the kernel's own, never a buffer that a device is given. */
const tokenPage = 0;

/** Puts the token into the daemon's mapping. Called whenever the VM has begun to run, which is when the daemon maps. */
export function beginWatch({ memoryPath, daemonPid }: TouchWatch): void {
  const mapping = mappingsOf(daemonPid, memoryPath).find(({ fileOffset }) => fileOffset === 0);
  if (mapping === undefined) return; // no token: every page will count as touched
  const memory = openSync(`/proc/${daemonPid}/mem`, 'r');
  try {
    readSync(memory, Buffer.alloc(1), 0, 1, mapping.address);
  } finally {
    closeSync(memory);
  }
}

/** What was touched since the processes started, as far as they have kept their mappings; undefined: nobody can say. */
export function touchedPages(watch: TouchWatch): PageSet | undefined {
  try {
    return readTouched(watch);
  } catch {
    return undefined; // a kernel that shows no page tables, or a process that has just ended
  }
}

function readTouched(watch: TouchWatch): PageSet | undefined {
  const byDaemon = presentPages(watch, watch.daemonPid);
  const byVmm = presentPages(watch, watch.vmmPid);
  const isComplete = byVmm !== undefined && byDaemon !== undefined && hasPage(byDaemon, tokenPage);
  // Read last: a page that was swapped out while we looked is counted by then.
  const wasSwapped = watch.swappedOut === undefined || pagesSwappedOut() !== watch.swappedOut;
  return isComplete && !wasSwapped ? unionOf(byVmm, byDaemon) : undefined;
}

function presentPages({ memoryPath, memorySizeBytes }: TouchWatch, pid: number): PageSet | undefined {
  const mappings = mappingsOf(pid, memoryPath);
  if (mappings.length === 0) return undefined;
  const present = emptyPageSet(memorySizeBytes);
  const entries = new Uint32Array(maxEntries * halvesPerEntry);
  const pagemap = openSync(`/proc/${pid}/pagemap`, 'r');
  try {
    for (const mapping of mappings) addPresent(present, pagemap, mapping, entries);
    return present;
  } finally {
    closeSync(pagemap);
  }
}

function addPresent(present: PageSet, pagemap: number, mapping: Mapping, entries: Uint32Array): void {
  const firstPage = mapping.fileOffset / pageSizeBytes;
  const count = mapping.sizeBytes / pageSizeBytes;
  for (let done = 0; done < count;) {
    const wanted = Math.min(maxEntries, count - done) * entryBytes;
    const position = (mapping.address / pageSizeBytes + done) * entryBytes;
    const read = readSync(pagemap, entries, 0, wanted, position);
    if (read === 0) throw new Error('the page map of a process ends within a mapping');
    const found = read / entryBytes;
    for (let entry = 0; entry < found; entry++) {
      const higherHalf = entries[entry * halvesPerEntry + 1] ?? 0;
      if ((higherHalf & touchedMask) !== 0) addPages(present, firstPage + done + entry);
    }
    done += found;
  }
}

/** `address-end perms offset major:minor inode path`, in hexadecimal but for the inode. */
const mapsLine = /^([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+) ([0-9a-f]+):([0-9a-f]+) ([0-9]+)/;

function mappingsOf(pid: number, file: string): Mapping[] {
  const { ino } = statSync(file);
  const mappings: Mapping[] = [];
  for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
    const match = mapsLine.exec(line);
    // The inode alone would do within a file system; the path tells it from those of others.
    if (match === null || Number(match[6]) !== ino || !line.includes(file)) continue;
    const [address, end, fileOffset] = [match[1], match[2], match[3]].map((hex) => Number.parseInt(hex ?? '', 16));
    if (address === undefined || end === undefined || fileOffset === undefined) continue;
    mappings.push({ address, sizeBytes: end - address, fileOffset });
  }
  return mappings;
}

/** Pages that this machine has moved out of memory since it started, whatever kind of swap took them. */
export function pagesSwappedOut(): number | undefined {
  const counters = [...readFileSync('/proc/vmstat', 'utf8').matchAll(/^(?:pswpout|zswpout|swpout_zero) ([0-9]+)$/gm)];
  return counters.length === 0 ? undefined : counters.reduce((sum, [, count]) => sum + Number(count), 0);
}
