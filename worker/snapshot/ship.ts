/**
 * Ships a capture and commits it: the parts under names no one else uses, then the create-only log entry, which is the
 * commit. Nothing before it has happened, nothing after it can undo it.
 */
import { rm } from 'node:fs/promises';
import { compareEpochs, type Epoch } from '../../shared/actor/epoch.ts';
import { newDataKey, sealAlgorithm, sealFile } from '../../shared/encryption/sealed-file.ts';
import { storeDataKey } from '../../shared/encryption/stored-keys.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import { appendEntry, readEntry, type LogEntry, type SnapshotEntry } from '../../shared/snapshot/actor-log.ts';
import {
  chainFormatVersion,
  differenceFormatVersion,
  encryptedFormatVersion,
  snapshotFormatVersion,
  type RuntimeKey,
  type SnapshotManifest,
  type SnapshotPart,
} from '../../shared/snapshot/manifest.ts';
import { objectKeys } from '../../shared/snapshot/object-keys.ts';
import type { Capture, CapturedPart } from '../sandbox/sandbox.ts';
import type { SnapshotBlobs } from './blobs.ts';

/**
 * Stores a part under a name of its own, encrypted with a new key if the node has keys. Returns what the manifest says
 * of it once all of it, key included, is in the store.
 */
export async function shipPart(
  blobs: SnapshotBlobs,
  key: string,
  part: CapturedPart,
  signal: AbortSignal,
): Promise<SnapshotPart> {
  const shipped = await upload(blobs, key, part, signal);
  await blobs.cache?.keep(shipped.sha256, part.path, part.sizeBytes);
  return shipped;
}

async function upload(
  { store, keyRing }: SnapshotBlobs,
  key: string,
  part: CapturedPart,
  signal: AbortSignal,
): Promise<SnapshotPart> {
  const [encrypting] = keyRing;
  if (encrypting === undefined) {
    await store.put(key, { kind: 'file', path: part.path, sizeBytes: part.sizeBytes, isFinal: true }, { signal });
    return { key, sizeBytes: part.sizeBytes, sha256: part.sha256 };
  }
  const dataKey = newDataKey();
  const path = `${part.path}.sealed`;
  // What an earlier attempt sealed may be an object by now, under another name: it is not written over.
  await rm(path, { force: true });
  const [{ sizeBytes, sha256 }, ofKey] = await Promise.all([
    sealFile(part.path, path, { dataKey, objectKey: key }, signal),
    storeDataKey(store, encrypting, key, dataKey, { signal }),
  ]);
  // Before the object: if the name has a key already, an object that somebody may follow stands there.
  if (ofKey === 'exists') throw new DormouseError('internal', `the name ${key} was used before: it has a key already`);
  await store.put(key, { kind: 'file', path, sizeBytes, isFinal: true }, { signal });
  return { key, sizeBytes, sha256, encryption: { algorithm: sealAlgorithm, keyId: encrypting.id } };
}

export function manifestOf(
  capture: Capture,
  parts: SnapshotManifest['parts'],
  facts: {
    readonly runtime: RuntimeKey;
    readonly lowers: Readonly<Record<string, string>>;
    readonly base?: string | undefined;
    /** What the memory part lies over, if not over the base alone. */
    readonly below?: readonly SnapshotPart[] | undefined;
  },
): SnapshotManifest {
  const isEncrypted = Object.values(parts).some(({ encryption }) => encryption !== undefined);
  const withoutBase = isEncrypted ? encryptedFormatVersion : snapshotFormatVersion;
  const withoutChain = facts.base === undefined ? withoutBase : differenceFormatVersion;
  return {
    formatVersion: facts.below === undefined ? withoutChain : chainFormatVersion,
    runtime: facts.runtime,
    memorySizeBytes: capture.memorySizeBytes,
    ...(facts.base !== undefined && { base: facts.base }),
    lowers: { ...facts.lowers },
    parts,
    ...(facts.below !== undefined && { below: [...facts.below] }),
    pageCount: capture.pageCount,
    capturedAt: new Date().toISOString(),
  };
}

export interface Commit {
  readonly id: string;
  readonly uid: string;
  readonly epoch: Epoch;
  readonly node: string;
  readonly generation: number;
  /** The log's head as this activation knows it. */
  readonly afterSeq: number;
}

export async function shipParts(
  blobs: SnapshotBlobs,
  commit: Commit,
  attempt: number,
  capture: Capture,
  facts: Parameters<typeof manifestOf>[2],
  signal: AbortSignal,
): Promise<SnapshotManifest> {
  const key = (part: 'memory' | 'device'): string =>
    objectKeys.blob(commit.id, commit.uid, commit.epoch, attempt, part);
  const [memory, device] = await Promise.all([
    shipPart(blobs, key('memory'), capture.memory, signal),
    shipPart(blobs, key('device'), capture.device, signal),
  ]);
  return manifestOf(capture, { memory, device }, facts);
}

/**
 * Throws `commit-lost` when another activation's entry stands in the place. An entry of this activation is one of its
 * earlier commits whose answer was lost, and a fence of an earlier activation says nothing about this one: it comes after.
 */
export async function commitSnapshot(
  store: ObjectStore,
  commit: Commit,
  manifest: SnapshotManifest,
  signal: AbortSignal,
): Promise<SnapshotEntry> {
  const { id, uid, epoch, node } = commit;
  let { generation, afterSeq } = commit;
  for (;;) {
    const entry = { kind: 'snapshot', uid, epoch, node, generation, manifest } as const;
    const result = await appendEntry(store, id, afterSeq, entry, { signal });
    const standing =
      result.outcome === 'committed' ? result.entry : await readEntry(store, id, afterSeq + 1, { signal });
    if (fencesEarlier(standing, commit)) {
      afterSeq = standing.seq;
      continue;
    }
    if (standing.kind !== 'snapshot' || standing.uid !== uid || standing.epoch !== epoch) {
      throw new DormouseError('commit-lost', `another activation wrote log entry ${afterSeq + 1} of ${id} first`, {
        details: { actor: id, epoch, entry: standing.kind },
      });
    }
    // Blob names are unique to the attempt, so this tells our own entry from an earlier one of ours.
    if (standing.manifest.parts.memory.key === manifest.parts.memory.key) return standing;
    generation = standing.generation + 1;
    afterSeq = standing.seq;
  }
}

/** A registry that came back older than it was may have let somebody declare an activation over that ended long ago. */
const fencesEarlier = (entry: LogEntry, { uid, epoch }: Commit): boolean =>
  entry.kind === 'fence' && entry.uid === uid && compareEpochs(entry.fencedEpoch, epoch) < 0;
