import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { newEncryptionKey } from '../../shared/encryption/key-ring.ts';
import { openObjectStore } from '../../shared/object-store/open.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import { fetchPart } from './fetch-part.ts';
import { until } from '../../shared/process/until.ts';
import { createPartCache, type PartCache } from './part-cache.ts';
import { shipPart } from './ship.ts';

const signal = AbortSignal.timeout(30_000);
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

suite('the cache of snapshot parts', () => {
  let home: string;
  let store: ObjectStore;
  let files = 0;
  const file = (name: string): string => path.join(home, name);
  const cacheOf = (maxBytes: number): Promise<PartCache> => createPartCache({ folder: file('cache'), maxBytes });
  const written = async (bytes: Buffer): Promise<string> => {
    const name = file(`part-${++files}`);
    await writeFile(name, bytes);
    return name;
  };
  before(async () => {
    home = await mkdtemp(path.join(tmpdir(), 'dormouse-parts-'));
    store = await openObjectStore(`file://${file('store')}`);
  });
  after(async () => {
    await store.close();
    await rm(home, { recursive: true });
  });

  test('what was used longest ago goes first, and what is too large is not kept', async () => {
    await using cache = await cacheOf(1000);
    const parts = Array.from({ length: 4 }, () => randomBytes(400));
    const [first, second, third, large] = parts.map(sha256) as [string, string, string, string];
    await cache.keep(first, await written(parts[0] ?? Buffer.alloc(0)));
    await cache.keep(second, await written(parts[1] ?? Buffer.alloc(0)));
    assert.ok(await cache.linkTo(first, file('first')));
    await cache.keep(third, await written(parts[2] ?? Buffer.alloc(0)));
    assert.ok(!(await cache.linkTo(second, file('second'))), 'the second was used longest ago');
    assert.ok(await cache.linkTo(third, file('third')));
    await cache.keep(large, await written(randomBytes(1001)));
    assert.ok(!(await cache.linkTo(large, file('large'))));
    assert.deepEqual((await readdir(file('cache'))).sort(), [first, third].sort());
    assert.deepEqual(await readFile(file('first')), parts[0]);
  });

  test('what is held stays until it is let go, whatever comes meanwhile', async () => {
    await using cache = await cacheOf(500);
    const [part, next] = [randomBytes(400), randomBytes(400)];
    await cache.keep(sha256(part), await written(part), part.length);
    const held = await cache.hold(sha256(part));
    assert.ok(held);
    await cache.keep(sha256(next), await written(next));
    assert.equal(await cache.hold(sha256(part)), undefined, 'it made way for the next');
    assert.deepEqual(await readFile(held.path), part);
    held[Symbol.dispose]();
    const alone = async (): Promise<boolean> => (await readdir(file('cache'))).join() === sha256(next);
    await until(alone, { signal, everyMs: 5, what: 'the file to go' });
  });

  test('a file that was cut on the disk is not given out, and an earlier worker’s files are not believed', async () => {
    const part = randomBytes(100);
    const name = sha256(part);
    await using cache = await cacheOf(1000);
    await cache.keep(name, await written(part));
    await truncate(path.join(file('cache'), name), 50);
    assert.ok(!(await cache.linkTo(name, file('cut'))));
    assert.ok(!(await readdir(home)).includes('cut'));
    await cache.keep(name, await written(part));
    await using next = await cacheOf(1000);
    assert.ok(!(await next.linkTo(name, file('inherited'))));
    assert.deepEqual(await readdir(file('cache')), []);
  });

  for (const keyRing of [[], [newEncryptionKey('a', randomBytes(32))]]) {
    test(`a part that was shipped ${keyRing.length === 0 ? 'as it is' : 'encrypted'} needs no store to be had again`, async () => {
      await using cache = await cacheOf(1000);
      const blobs = { store, keyRing, cache };
      const content = randomBytes(300);
      const captured = { path: await written(content), sizeBytes: content.length, sha256: sha256(content) };
      const part = await shipPart(blobs, `actors/a/${files}/memory`, captured, signal);
      await rm(captured.path);
      await store.delete(part.key);
      await fetchPart(blobs, part, file(`again-${files}`), signal);
      assert.deepEqual(await readFile(file(`again-${files}`)), content);
      await assert.rejects(fetchPart({ store, keyRing }, part, file('elsewhere'), signal), {
        code: 'snapshot-missing',
      });
    });
  }

  test('what is shipped again, encrypted anew, leaves the object of the first time as it was', async () => {
    const blobs = { store, keyRing: [newEncryptionKey('a', randomBytes(32))] };
    const content = randomBytes(2 * 1024 * 1024); // large enough to be linked into the store
    const captured = { path: await written(content), sizeBytes: content.length, sha256: sha256(content) };
    const first = await shipPart(blobs, 'actors/b/1/memory', captured, signal);
    const second = await shipPart(blobs, 'actors/b/2/memory', captured, signal);
    assert.notEqual(second.sha256, first.sha256);
    for (const { key, sha256: told } of [first, second]) assert.equal(sha256(await store.get(key)), told);
  });
});
