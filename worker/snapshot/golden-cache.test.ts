/** Real files, a real store and the real memory thread; no VM is needed to unpack memory. */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { after, before, suite, test } from 'node:test';
import { newEncryptionKey, type KeyRing } from '../../shared/encryption/key-ring.ts';
import { openObjectStore } from '../../shared/object-store/open.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import { rangeBytes } from '../../shared/object-store/read-in-ranges.ts';
import { until } from '../../shared/process/until.ts';
import { objectKeys } from '../../shared/snapshot/object-keys.ts';
import type { SnapshotManifest } from '../../shared/snapshot/manifest.ts';
import { standInClass, standInRuntime } from '../jobs/stand-in/sandbox.ts';
import { unpackBase } from '../sandbox/microvm/class.ts';
import { writeCompressed, writeMemoryPart } from '../sandbox/microvm/memory/memory-part.ts';
import { createGoldenCache, type GoldenCache, type GoldenCacheOptions } from './golden-cache.ts';
import { createPartCache } from './part-cache.ts';
import { manifestOf, shipPart } from './ship.ts';

const mebibyte = 1024 * 1024;
const signal = AbortSignal.timeout(60_000);
const encrypted: KeyRing = [newEncryptionKey('a', randomBytes(32))];

suite('the goldens of a node', () => {
  let home: string;
  let store: ObjectStore;
  let nodes = 0;
  const file = (name: string): string => path.join(home, name);
  before(async () => {
    home = await mkdtemp(path.join(tmpdir(), 'dormouse-goldens-'));
    store = await openObjectStore(`file://${file('store')}`);
  });
  after(async () => {
    await store.close();
    await rm(home, { recursive: true });
  });

  /** A golden in the store with memory that does not compress. */
  async function goldenOf(memory: Buffer, keyRing: KeyRing = []): Promise<SnapshotManifest> {
    const folder = file(randomUUID());
    await mkdir(folder);
    const [memoryPath, part] = [path.join(folder, 'raw'), path.join(folder, 'memory')];
    await writeFile(memoryPath, memory);
    const captured = await writeMemoryPart({ memoryPath, memorySizeBytes: memory.length }, part, signal);
    const device = await writeCompressed(Readable.from(devices()), path.join(folder, 'device'), signal);
    const keys = (name: 'memory' | 'device') => objectKeys.goldenPart('counter', 'r', path.basename(folder), name);
    const blobs = { store, keyRing };
    const parts = {
      memory: await shipPart(blobs, keys('memory'), captured, signal),
      device: await shipPart(blobs, keys('device'), device, signal),
    };
    await rm(folder, { recursive: true });
    const { pageCount, comparedPages } = captured;
    const capture = {
      memorySizeBytes: memory.length,
      pageCount,
      comparedPages,
      isOnTop: false,
      memory: captured,
      device,
    };
    return manifestOf(capture, parts, { runtime: standInRuntime, lowers: {} });
  }

  type Node = GoldenCache & { readonly memoryFolder: string; readonly diskFolder: string };
  function nodeWith(options: Partial<GoldenCacheOptions> = {}): Node {
    const name = `node-${++nodes}`;
    const folders = { memoryFolder: file(`${name}-memory`), diskFolder: file(`${name}-disk`) };
    const sandboxes = { ...standInClass(new Set()), unpackBase };
    const cache = createGoldenCache({ blobs: { store, keyRing: encrypted }, sandboxes, ...folders, ...options });
    return Object.assign(cache, folders);
  }

  for (const keyRing of [[], encrypted]) {
    const kind = keyRing.length === 0 ? 'as it is' : 'encrypted';
    test(`one that lies ${kind} in the store is fetched once, in ranges, and is the memory byte for byte`, async () => {
      const memory = randomBytes(2 * rangeBytes + 3 * mebibyte);
      const golden = await goldenOf(memory, keyRing);
      const asked: string[] = [];
      const watched: ObjectStore = {
        ...store,
        getRange(key, range, options) {
          asked.push(`${key} ${range.start}`);
          return store.getRange(key, range, options);
        },
      };
      using node = nodeWith({ blobs: { store: watched, keyRing } });
      const all = await Promise.all(Array.from({ length: 5 }, () => node.get(golden)));
      assert.ok((await readFile(all[0]?.memoryPath ?? '')).equals(memory));
      assert.ok(existsSync(all[0]?.devicePath ?? ''));
      assert.equal(asked.length, Math.ceil(golden.parts.memory.sizeBytes / rangeBytes));
      assert.equal(new Set(asked).size, asked.length);
      assert.ok(node.memoryBytes >= memory.length);
    });

    test(`of one that is damaged (${kind}) nothing is left, and it is fetched again when it is mended`, async () => {
      const golden = await goldenOf(randomBytes(rangeBytes + mebibyte), keyRing);
      const { key } = golden.parts.memory;
      const bytes = await store.get(key);
      const { length } = bytes;
      await using cache = await createPartCache({ folder: file(`cache-${kind.length}`), maxBytes: 100 * mebibyte });
      using node = nodeWith({ blobs: { store, keyRing, cache } });
      const flipped = Buffer.from(bytes);
      flipped[length - 1] = (flipped[length - 1] ?? 0) ^ 1;
      for (const wrong of [flipped, bytes.subarray(0, length - 1), Buffer.concat([bytes, bytes]), Buffer.alloc(0)]) {
        await store.put(key, { kind: 'bytes', bytes: wrong });
        await assert.rejects(node.get(golden), { code: 'snapshot-corrupt' });
        assert.deepEqual(await readdir(node.memoryFolder), []);
        assert.equal(await cache.linkTo(golden.parts.memory.sha256, file('believed')), false);
      }
      await store.delete(key);
      await assert.rejects(node.get(golden), { code: 'snapshot-missing' });
      await store.put(key, { kind: 'bytes', bytes });
      await node.get(golden);
      assert.equal(await cache.linkTo(golden.parts.memory.sha256, file(`kept-${kind.length}`)), true);
    });
  }

  test('the least recently used make way, none that is in use, and one that went comes back from the part cache', async () => {
    const memories = Array.from({ length: 4 }, () => randomBytes(mebibyte));
    const goldens = await Promise.all(memories.map((memory) => goldenOf(memory)));
    const [first, second, third, fourth] = goldens as [
      SnapshotManifest,
      SnapshotManifest,
      SnapshotManifest,
      SnapshotManifest,
    ];
    const nameOf = ({ parts }: SnapshotManifest): string => parts.memory.sha256;
    await using cache = await createPartCache({ folder: file('cache'), maxBytes: 100 * mebibyte });
    let room = 2.5 * mebibyte;
    using node = nodeWith({ blobs: { store, keyRing: [], cache }, room: () => room });
    const holds = (...wanted: SnapshotManifest[]): Promise<void> =>
      until(
        async () => {
          const found = (await readdir(node.memoryFolder)).filter((name) => !name.endsWith('.vm'));
          return JSON.stringify(found.sort()) === JSON.stringify(wanted.map(nameOf).sort());
        },
        { signal, everyMs: 5, what: 'goldens to make way' },
      );

    // A VM's own link, as it is made while the golden is held.
    await node.use(first, ({ memoryPath }) => link(memoryPath, `${memoryPath}.vm`));
    await node.get(second);
    await node.get(third);
    await holds(first, third);
    await node.use(third, async () => {
      await node.get(fourth);
      await holds(first, third); // what is fetched beyond the room goes, and what is held stays
    });
    for (const golden of goldens) await store.delete(golden.parts.memory.key);
    await rm(path.join(node.memoryFolder, `${nameOf(first)}.vm`));
    const { memoryPath } = await node.get(second);
    await holds(third, second);
    assert.ok((await readFile(memoryPath)).equals(memories[1] ?? Buffer.alloc(0)));
    room = 0;
    await node.get(third);
    await node.get(first);
    await holds();
    assert.equal(node.memoryBytes, 0);
  });
});

async function* devices(): AsyncGenerator<Buffer> {
  yield await Promise.resolve(Buffer.from('devices'));
}
