/** What stands in the store is not believed: whatever is there, a reader gets a checked value or a refusal of ours. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { DormouseError } from '../errors/dormouse-error.ts';
import { parseDescriptor } from '../template/golden.ts';
import { revisionOf, templateSpecSchema } from '../template/template-spec.ts';
import { parseEntry } from './actor-log.ts';
import { memoryChain, type SnapshotManifest } from './manifest.ts';
import { objectKeys, sequenceOf, wrappedKeyOf } from './object-keys.ts';

const uid = '0e2dd2b8-53ab-4c3d-8f5e-3f0a4f6c1a11';
const hash = 'a'.repeat(64);
const part = (name: 'memory' | 'device') => ({
  key: objectKeys.blob('ada', uid, '1.1', 1, name),
  sizeBytes: 1000,
  sha256: hash,
});
const manifest: SnapshotManifest = {
  formatVersion: 1,
  runtime: {
    arch: 'amd64',
    vmm: 'qemu',
    vmmVersion: '10',
    accelerator: 'tcg',
    machine: 'q35',
    cpuModel: 'max',
    kernel: '6.12',
    agent: '1',
  },
  memorySizeBytes: 4096,
  lowers: { main: 'sha256:x' },
  parts: { memory: part('memory'), device: part('device') },
  pageCount: 1,
  capturedAt: '2026-01-01T00:00:00.000Z',
};
const entry = {
  formatVersion: 1,
  seq: 7,
  at: '2026-01-01T00:00:00.000Z',
  uid,
  kind: 'snapshot',
  generation: 1,
  epoch: '1.1',
  node: 'node-1',
  manifest,
};
const spec = templateSpecSchema.parse({ name: 'web', containers: [{ name: 'main', image: 'oci:/x:y' }] });
const revision = revisionOf(spec);
const golden = (name: 'memory' | 'device') => ({
  ...part(name),
  key: objectKeys.goldenPart('web', revision, 'one', name),
});
const descriptor = {
  formatVersion: 1,
  spec,
  revision,
  images: { main: { reference: 'oci:/x:y', digest: 'sha256:x', treeDigest: 'sha256:y' } },
  golden: { ...manifest, parts: { memory: golden('memory'), device: golden('device') } },
  preparedAt: '2026-01-01T00:00:00.000Z',
};

const bytesOf = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const readEntry = (value: unknown) => parseEntry('ada', 7, bytesOf(value));
const readDescriptor = (value: unknown) => parseDescriptor('web', revision, bytesOf(value));
const ours = (error: unknown): boolean =>
  error instanceof DormouseError && (error.code === 'snapshot-corrupt' || error.code === 'snapshot-unsupported');
const refuses = (read: () => unknown, what?: string): void => assert.throws(read, ours, what);

/** A copy with another value somewhere inside. */
function withChange(value: unknown, path: readonly string[], replacement: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return replacement;
  const entries = Object.entries(value as object);
  return Object.fromEntries(entries.map(([key, it]) => [key, key === name ? withChange(it, rest, replacement) : it]));
}
const pathsOf = (value: unknown): string[][] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([name, inner]) => [[name], ...pathsOf(inner).map((rest) => [name, ...rest])])
    : [];

const numbers = fc.constantFrom(-1, 0.5, 1e300, Number.MAX_SAFE_INTEGER, 2 ** 53, 2 ** 40);
const texts = fc.oneof(fc.string(), fc.constantFrom('../../x', '/etc/passwd', '', '\0', '__proto__', 'x'.repeat(5000)));
const anything = fc.oneof(numbers, texts, fc.jsonValue(), fc.constant([]), fc.constant({}));

suite('log entries and descriptors of a hostile store', () => {
  test('good ones are read', () => {
    assert.equal(readEntry(entry).seq, 7);
    assert.equal(readDescriptor(descriptor).revision, revision);
  });

  test('any bytes at all give a value or a refusal of ours', () => {
    const settles = (read: (value: unknown) => unknown, value: unknown): void => {
      try {
        read(value);
      } catch (error) {
        assert.ok(ours(error), String(error));
      }
    };
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.jsonValue()), (value) => {
        settles(readEntry, value ?? 'null');
        settles(readDescriptor, value ?? 'null');
      }),
    );
    const places = fc.constantFrom(...pathsOf(entry));
    const placesOfTemplate = fc.constantFrom(...pathsOf(descriptor));
    fc.assert(
      fc.property(places, placesOfTemplate, anything, (place, placeOfTemplate, value) => {
        settles(readEntry, withChange(entry, place, value));
        settles(readDescriptor, withChange(descriptor, placeOfTemplate, value));
      }),
      { numRuns: 1000 },
    );
  });

  test('a part never leads out of the folder of its own actor or template, whatever its key', () => {
    const foreign = [
      objectKeys.blob('eve', uid, '1.1', 1, 'memory'),
      objectKeys.blob('ada', '00000000-0000-4000-8000-000000000000', '1.1', 1, 'memory'),
      objectKeys.blob('ada-2', uid, '1.1', 1, 'memory'),
      objectKeys.goldenPart('web', revision, 'one', 'memory'),
      objectKeys.logEntry('ada', 1),
      objectKeys.template('web', revision),
      `${objectKeys.actorBlobs('ada', uid)}../../eve/memory`,
      `${objectKeys.actorBlobs('ada', uid)}blobs//memory`,
      `${part('memory').key}.keys/first`,
      `/${part('memory').key}`,
      '',
    ];
    const changed = (key: string) => withChange(entry, ['manifest', 'parts', 'memory', 'key'], key);
    for (const key of foreign) refuses(() => readEntry(changed(key)), key);
    for (const key of [...foreign.filter((it) => !it.startsWith('templates/')), part('memory').key]) {
      refuses(() => readDescriptor(withChange(descriptor, ['golden', 'parts', 'device', 'key'], key)), key);
    }
    const segment = fc.constantFrom('..', '.', '', 'blobs', 'ada', 'eve', uid, 'actors', 'memory', 'device', '1.1-1');
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 8 }), (segments) => {
        const key = segments.join('/');
        fc.pre(!/^actors\/ada\/[^/]+\/([^/.][^/]*\/)*(memory|device)$/.test(key));
        refuses(() => readEntry(changed(key)), key);
      }),
    );
  });

  test('an entry or descriptor in the place of another is refused', () => {
    refuses(() => parseEntry('ada', 8, bytesOf(entry)));
    refuses(() => parseEntry('eve', 7, bytesOf(entry)));
    const created = { formatVersion: 1, seq: 7, at: entry.at, uid, kind: 'created', id: 'ada' };
    const full = { ...created, template: 'web', revision, labels: {}, coldStart: false };
    assert.equal(readEntry(full).kind, 'created');
    refuses(() => readEntry({ ...full, id: 'eve' }));
    refuses(() => parseDescriptor('other', revision, bytesOf(descriptor)));
    refuses(() => parseDescriptor('web', 'f'.repeat(32), bytesOf(descriptor)));
  });

  test('sizes are bounded before anybody allocates or downloads them', () => {
    for (const size of [0, -1, 1.5, 2 ** 40, Number.MAX_SAFE_INTEGER, 1e300]) {
      refuses(() => readEntry(withChange(entry, ['manifest', 'memorySizeBytes'], size)), String(size));
      if (size > 0) refuses(() => readEntry(withChange(entry, ['manifest', 'parts', 'device', 'sizeBytes'], size)));
    }
  });

  test('a version that is not known is told apart from damage', () => {
    const version = (value: unknown) => withChange(entry, ['manifest', 'formatVersion'], value);
    assert.throws(() => readEntry(version(5)), { code: 'snapshot-unsupported' });
    assert.throws(() => readDescriptor(withChange(descriptor, ['golden', 'formatVersion'], 99)), {
      code: 'snapshot-unsupported',
    });
    assert.throws(() => readEntry(version('1')), { code: 'snapshot-corrupt' });
    for (const known of [2, 3]) assert.equal(readEntry(version(known)).kind, 'snapshot');
  });

  test('a chain says so by its version, begins at a base, is short, and stays within its actor', () => {
    const chain = (below: unknown, changes: object = {}) => ({
      ...entry,
      manifest: { ...manifest, formatVersion: 4, base: hash, below, ...changes },
    });
    const earlier = (name: 'memory' | 'device', attempt: number) => ({
      ...part('memory'),
      key: objectKeys.blob('ada', uid, '1.1', attempt, name),
    });
    const three = [1, 2, 3].map((attempt) => earlier('memory', attempt));
    const read = readEntry(chain(three));
    assert.ok(read.kind === 'snapshot');
    assert.deepEqual(
      memoryChain(read.manifest).map(({ key }) => key),
      [...three, part('memory')].map(({ key }) => key),
    );
    refuses(() => readEntry(chain([])), 'no chain');
    refuses(() => readEntry(chain([...three, earlier('memory', 4)])), 'too long');
    refuses(() => readEntry(chain(undefined)), 'a version without its chain');
    refuses(() => readEntry(chain(three, { base: undefined })), 'no base');
    for (const older of [1, 2, 3]) refuses(() => readEntry(chain(three, { formatVersion: older })), `version ${older}`);
    for (const key of [
      objectKeys.blob('eve', uid, '1.1', 1, 'memory'),
      objectKeys.goldenPart('web', revision, 'one', 'memory'),
      objectKeys.logEntry('ada', 1),
      `${objectKeys.actorBlobs('ada', uid)}../../eve/memory`,
    ]) {
      refuses(() => readEntry(chain([{ ...part('memory'), key }])), key);
    }
  });

  test('names that objects inherit are names like any other, and change no prototype', () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      const text = JSON.stringify(entry).replace('"main"', JSON.stringify(name));
      const read = readEntry(text);
      assert.ok(read.kind === 'snapshot');
      assert.equal(Object.getPrototypeOf(read.manifest.lowers), Object.prototype);
    }
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });
});

suite('keys of a hostile store', () => {
  test('a listing may hold any key: it is a log entry, a wrapped key, or nothing we know', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9/.]{0,40}$/)), (key) => {
        const seq = sequenceOf(key);
        if (seq !== undefined) assert.ok(Number.isSafeInteger(seq) && key.endsWith('.json'));
        const wrap = wrappedKeyOf(key);
        if (wrap !== undefined) assert.equal(objectKeys.wrappedKey(wrap.objectKey, wrap.keyId), key);
      }),
      { numRuns: 500 },
    );
  });
});
