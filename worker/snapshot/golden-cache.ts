/**
 * The goldens of this node: device part on disk, memory unpacked on the tmpfs where VMs copy it from. One download per
 * golden however many actors ask; a failed one leaves nothing, and the next to ask tries again.
 */
import { mkdir, rename, unlink } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { SnapshotManifest } from '../../shared/snapshot/manifest.ts';
import type { SandboxClass } from '../sandbox/sandbox.ts';
import type { SnapshotBlobs } from './blobs.ts';
import { fetchPart } from './fetch-part.ts';

export interface LocalGolden {
  readonly memoryPath: string;
  readonly devicePath: string;
  readonly sha256: string;
}

export interface GoldenCache {
  get(golden: SnapshotManifest): Promise<LocalGolden>;
}

/** A golden is fetched for every actor that waits for it, so no single caller's deadline ends it. */
const fetchLimitMs = 120_000;

export function createGoldenCache(options: {
  readonly blobs: SnapshotBlobs;
  readonly sandboxes: SandboxClass;
  readonly diskFolder: string;
  readonly memoryFolder: string;
}): GoldenCache {
  const pending = new Map<string, Promise<LocalGolden>>();
  const fetchGolden = async (golden: SnapshotManifest): Promise<LocalGolden> => {
    const { memory, device } = golden.parts;
    const local = {
      memoryPath: path.join(options.memoryFolder, memory.sha256),
      devicePath: path.join(options.diskFolder, device.sha256),
      sha256: memory.sha256,
    };
    const signal = AbortSignal.timeout(fetchLimitMs);
    await Promise.all([
      mkdir(options.memoryFolder, { recursive: true }),
      mkdir(options.diskFolder, { recursive: true }),
    ]);
    if (!existsSync(local.devicePath)) {
      await fetchPart(options.blobs, device, `${local.devicePath}.partial`, signal);
      await rename(`${local.devicePath}.partial`, local.devicePath);
    }
    if (!existsSync(local.memoryPath)) {
      const packed = path.join(options.diskFolder, `${memory.sha256}.partial`);
      await fetchPart(options.blobs, memory, packed, signal);
      await options.sandboxes.unpackBase(packed, golden.memorySizeBytes, local.memoryPath, signal);
      await unlink(packed);
    }
    return local;
  };
  return {
    get(golden) {
      const key = golden.parts.memory.sha256;
      const known = pending.get(key);
      if (known !== undefined) return known;
      const work = fetchGolden(golden);
      pending.set(key, work);
      work.catch(() => pending.delete(key));
      return work;
    },
  };
}
