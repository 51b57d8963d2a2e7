/**
 * The goldens of this node: device part on disk, memory unpacked on the tmpfs where VMs copy it from. One download per
 * golden however many actors ask; a failed one leaves nothing, and the next to ask tries again.
 *
 *   the node's part cache, or the store (several ranges at once) ──► unpacked while it arrives ──► named once it is whole
 *
 * Unpacked memory is bounded: beyond `room` the least recently used go, and come back from the part cache. One that a VM or
 * a sandbox in waiting was made from never goes, because its changes are counted against it: each has a link of its own to
 * the file (sandbox/microvm/place.ts), so the file system counts them. While that link is being made `use` holds it.
 */
import { createReadStream, renameSync, statSync } from 'node:fs';
import { access, mkdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { settleAll } from '../../shared/process/settle-all.ts';
import type { SnapshotManifest, SnapshotPart } from '../../shared/snapshot/manifest.ts';
import type { SandboxClass } from '../sandbox/sandbox.ts';
import type { SnapshotBlobs } from './blobs.ts';
import { fetchPart } from './fetch-part.ts';
import { partContent } from './part-content.ts';

export interface LocalGolden {
  /** Its name: the file is there only while `use` or a sandbox holds it. */
  readonly memoryPath: string;
  readonly devicePath: string;
  readonly sha256: string;
}

export interface GoldenCache extends Disposable {
  get(golden: SnapshotManifest): Promise<LocalGolden>;
  /** Its memory stays while the work goes on. */
  use<Result>(golden: SnapshotManifest, work: (local: LocalGolden) => Promise<Result>): Promise<Result>;
  /** What unpacked goldens hold of the machine's memory. */
  readonly memoryBytes: number;
}

export interface GoldenCacheOptions {
  readonly blobs: SnapshotBlobs;
  readonly sandboxes: SandboxClass;
  readonly diskFolder: string;
  readonly memoryFolder: string;
  /** Bytes that unpacked goldens may hold at this moment. Those in use stay, whatever it says. */
  readonly room?: () => number;
}

/** A golden is fetched for every actor that waits for it, so no single caller's deadline ends it. */
const fetchLimitMs = 120_000;
/** How soon goldens make way when the machine runs short: as often as the pool looks. */
const lookEveryMs = 5000;
/** What stat counts blocks in, whatever the file system's own are. */
const statBlockBytes = 512;

interface Held {
  readonly local: Promise<LocalGolden>;
  /** 0 until it is here. */
  bytes: number;
  users: number;
}

export function createGoldenCache(options: GoldenCacheOptions): GoldenCache {
  const { memoryFolder, room = () => Infinity } = options;
  /** By digest, the least recently used first. */
  const held = new Map<string, Held>();
  const total = (): number => [...held.values()].reduce((sum, { bytes }) => sum + bytes, 0);

  const makeRoom = (): void => {
    for (const [sha256, { bytes, users }] of held) {
      if (total() <= room()) return;
      if (bytes === 0 || users > 0 || !dropUnlessLinked(path.join(memoryFolder, sha256))) continue;
      held.delete(sha256);
    }
  };
  const begin = (golden: SnapshotManifest): Held => {
    const { sha256 } = golden.parts.memory;
    const local = fetchGolden(options, golden);
    const entry: Held = { local, bytes: 0, users: 0 };
    local
      .then(
        async ({ memoryPath }) => {
          entry.bytes = (await stat(memoryPath)).blocks * statBlockBytes;
          makeRoom();
        },
        () => held.delete(sha256),
      )
      .catch(() => undefined); // its size is not known: it stays
    return entry;
  };
  const entryOf = (golden: SnapshotManifest): Held => {
    const { sha256 } = golden.parts.memory;
    const entry = held.get(sha256) ?? begin(golden);
    held.delete(sha256);
    held.set(sha256, entry); // now the most recently used
    return entry;
  };
  const timer = setInterval(makeRoom, lookEveryMs).unref();
  return {
    get: (golden) => entryOf(golden).local,
    async use(golden, work) {
      const entry = entryOf(golden);
      entry.users++;
      try {
        return await work(await entry.local);
      } finally {
        entry.users--;
      }
    },
    get memoryBytes() {
      return total();
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** In one step as far as others can see; giving the memory back takes a while, and is nobody's turn to wait for. */
function dropUnlessLinked(file: string): boolean {
  if (statSync(file).nlink > 1) return false;
  const dropped = `${file}.dropped`;
  renameSync(file, dropped);
  void rm(dropped, { force: true }).catch(() => undefined); // the folder goes with the worker
  return true;
}

async function fetchGolden(options: GoldenCacheOptions, golden: SnapshotManifest): Promise<LocalGolden> {
  const { blobs, sandboxes, diskFolder, memoryFolder } = options;
  const { memory, device } = golden.parts;
  const local = {
    memoryPath: path.join(memoryFolder, memory.sha256),
    devicePath: path.join(diskFolder, device.sha256),
    sha256: memory.sha256,
  };
  const signal = AbortSignal.timeout(fetchLimitMs);
  await Promise.all([mkdir(memoryFolder, { recursive: true }), mkdir(diskFolder, { recursive: true })]);
  const unpack = (content: AsyncIterable<Uint8Array>): Promise<void> =>
    sandboxes.unpackBase(content, golden.memorySizeBytes, local.memoryPath, signal);
  await settleAll([
    fetchDevice(blobs, device, local.devicePath, signal),
    withContent(blobs, memory, path.join(diskFolder, `${memory.sha256}.partial`), unpack, signal),
  ]);
  return local;
}

async function fetchDevice(
  blobs: SnapshotBlobs,
  device: SnapshotPart,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  if (await isThere(target)) return;
  await fetchPart(blobs, device, `${target}.partial`, signal);
  await rename(`${target}.partial`, target);
}

const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

/** From the part cache; what comes from the store goes there on its way. */
async function withContent(
  blobs: SnapshotBlobs,
  part: SnapshotPart,
  scratch: string,
  work: (content: AsyncIterable<Uint8Array>) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { cache } = blobs;
  await rm(scratch, { force: true });
  try {
    if ((await cache?.linkTo(part.sha256, scratch)) === true) await work(createReadStream(scratch));
    else {
      const content = partContent(blobs, part, signal);
      await work(cache === undefined ? content : cache.keepPassing(part.sha256, content));
    }
  } finally {
    await rm(scratch, { force: true });
  }
}
