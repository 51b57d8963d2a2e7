/** For tests: actors and templates in a real store, with parts of real bytes, as the platform writes them. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ObjectStore } from '../object-store/object-store.ts';
import { openObjectStore } from '../object-store/open.ts';
import { revisionOf, templateSpecSchema } from '../template/template-spec.ts';
import { appendEntry, type LogEntry } from './actor-log.ts';
import { chainFormatVersion, type RuntimeKey, type SnapshotManifest, type SnapshotPart } from './manifest.ts';
import { objectKeys } from './object-keys.ts';

export interface SampleStore extends AsyncDisposable {
  readonly store: ObjectStore;
  readonly folder: string;
}

export async function openSampleStore(): Promise<SampleStore> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-sample-'));
  const store = await openObjectStore(pathToFileURL(folder).href);
  return { store, folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

const runtime: RuntimeKey = {
  ...{ arch: 'amd64', vmm: 'qemu', vmmVersion: '10', accelerator: 'tcg' },
  ...{ machine: 'q35', cpuModel: 'max', kernel: '6', agent: 'a' },
};

export const sampleSpec = templateSpecSchema.parse({
  name: 'counter',
  containers: [{ name: 'main', image: 'oci:/x:y' }],
});
export const sampleRevision = revisionOf(sampleSpec);

export async function putBytes(store: ObjectStore, key: string, text: string): Promise<SnapshotPart> {
  const bytes = Buffer.from(text);
  await store.put(key, { kind: 'bytes', bytes });
  return { key, sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

const manifestOf = (memory: SnapshotPart, device: SnapshotPart, below?: readonly SnapshotPart[]): SnapshotManifest => ({
  ...{ formatVersion: 1, runtime, memorySizeBytes: 4096, lowers: {}, pageCount: 1 },
  ...(below !== undefined && { formatVersion: chainFormatVersion, base: 'a'.repeat(64), below: [...below] }),
  ...{ parts: { memory, device }, capturedAt: new Date().toISOString() },
});

export async function putTemplate(store: ObjectStore): Promise<void> {
  const { name } = sampleSpec;
  const key = (part: 'memory' | 'device') => objectKeys.goldenPart(name, sampleRevision, 'first', part);
  const golden = manifestOf(
    await putBytes(store, key('memory'), 'golden memory'),
    await putBytes(store, key('device'), 'golden device'),
  );
  const preparedAt = new Date().toISOString();
  const descriptor = { formatVersion: 1, spec: sampleSpec, revision: sampleRevision, images: {}, golden, preparedAt };
  await putBytes(store, objectKeys.template(name, sampleRevision), JSON.stringify(descriptor));
}

/** An actor of the sample template; each call of its methods appends to its log. */
export interface SampleActor {
  readonly id: string;
  readonly uid: string;
  seq: number;
  generation: number;
  append(entry: Record<string, unknown>): Promise<LogEntry>;
  /** `below`: the parts that its memory lies over. */
  commit(epoch: string, attempt?: number, below?: readonly SnapshotPart[]): Promise<SnapshotManifest>;
  fence(fencedEpoch: string): Promise<LogEntry>;
}

export async function putActor(store: ObjectStore, id: string, afterSeq = 0): Promise<SampleActor> {
  const uid = randomUUID();
  const actor: SampleActor = {
    ...{ id, uid, seq: afterSeq, generation: 0 },
    async append(entry) {
      const result = await appendEntry(store, id, actor.seq, { ...entry, uid } as unknown as LogEntry);
      if (result.outcome === 'lost') throw new Error(`entry ${actor.seq + 1} of ${id} stands already`);
      actor.seq++;
      return result.entry;
    },
    async commit(epoch, attempt = 1, below) {
      const generation = ++actor.generation;
      const key = (part: 'memory' | 'device') => objectKeys.blob(id, uid, epoch, attempt, part);
      const manifest = manifestOf(
        await putBytes(store, key('memory'), `memory ${generation}`),
        await putBytes(store, key('device'), `device ${generation}`),
        below,
      );
      await actor.append({ kind: 'snapshot', generation, epoch, node: 'node-1', manifest });
      return manifest;
    },
    fence: (fencedEpoch) => actor.append({ kind: 'fence', fencedEpoch, fencedNode: 'node-1', reason: 'test' }),
  };
  const { name: template } = sampleSpec;
  await actor.append({ kind: 'created', id, template, revision: sampleRevision, labels: { a: 'b' }, coldStart: false });
  return actor;
}
