/**
 * Ships a capture and commits it: the parts under names no one else uses, then the create-only log entry, which is the
 * commit. Nothing before it has happened, nothing after it can undo it.
 */
import type { Epoch } from '../../shared/actor/epoch.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import { appendEntry, readEntry, type SnapshotEntry } from '../../shared/snapshot/actor-log.ts';
import { snapshotFormatVersion, type RuntimeKey, type SnapshotManifest } from '../../shared/snapshot/manifest.ts';
import { objectKeys } from '../../shared/snapshot/object-keys.ts';
import type { Capture, CapturedPart } from '../sandbox/sandbox.ts';

export async function uploadPart(
  store: ObjectStore,
  key: string,
  part: CapturedPart,
  signal: AbortSignal,
): Promise<void> {
  await store.put(key, { kind: 'file', path: part.path, sizeBytes: part.sizeBytes }, { signal });
}

export function manifestOf(
  capture: Capture,
  keys: { readonly memory: string; readonly device: string },
  facts: {
    readonly runtime: RuntimeKey;
    readonly lowers: Readonly<Record<string, string>>;
    readonly base?: string | undefined;
  },
): SnapshotManifest {
  const part = (key: string, { sizeBytes, sha256 }: CapturedPart) => ({ key, sizeBytes, sha256 });
  return {
    formatVersion: snapshotFormatVersion,
    runtime: facts.runtime,
    memorySizeBytes: capture.memorySizeBytes,
    ...(facts.base !== undefined && { base: facts.base }),
    lowers: { ...facts.lowers },
    parts: { memory: part(keys.memory, capture.memory), device: part(keys.device, capture.device) },
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
  store: ObjectStore,
  commit: Commit,
  attempt: number,
  capture: Capture,
  facts: Parameters<typeof manifestOf>[2],
  signal: AbortSignal,
): Promise<SnapshotManifest> {
  const key = (part: 'memory' | 'device'): string =>
    objectKeys.blob(commit.id, commit.uid, commit.epoch, attempt, part);
  const keys = { memory: key('memory'), device: key('device') };
  await Promise.all([
    uploadPart(store, keys.memory, capture.memory, signal),
    uploadPart(store, keys.device, capture.device, signal),
  ]);
  return manifestOf(capture, keys, facts);
}

/**
 * Throws `commit-lost` when another activation's entry stands in the place. An entry of this activation is one of its
 * earlier commits whose answer was lost: this one comes after it.
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
