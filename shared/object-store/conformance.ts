/**
 * What every driver must do, run against a real store: file/driver.test.ts, and for the drivers that need a server the
 * tests of those servers (versitygw.test.ts, seaweedfs.test.ts and fake-gcs-server.test.ts in infra/servers/).
 * conformance-network.ts adds what can only go wrong over a network.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, suite, test } from 'node:test';
import { DormouseError } from '../errors/dormouse-error.ts';
import type { ErrorCode } from '../errors/codes.ts';
import type { ObjectBody, ObjectInfo, ObjectStore } from './object-store.ts';
import { rangeBytes, readInRanges } from './read-in-ranges.ts';
import type { StoreLimits } from './store-limits.ts';

export const KiB = 1024;
export const MiB = 1024 * KiB;

/** Small, so that multipart and resumable uploads come into play with small bodies. */
export const testLimits: StoreLimits = {
  callTimeoutMs: 30_000,
  slowestBytesPerSecond: MiB,
  partSizeBytes: 512 * KiB,
};

/** Where a server is known to fall short of the port's promise; each is stated in the report of its run. */
export interface KnownShortfalls {
  /** Of concurrent creators of an object in several parts more than one may win. What fences goes up in one request. */
  readonly createInPartsMayHaveSeveralWinners?: true;
}

export interface ConformanceSubject {
  readonly name: string;
  readonly shortfalls?: KnownShortfalls;
  /** At most so many rounds of each race, for servers that take seconds to settle one. */
  readonly raceRounds?: number;
  /** Opens the same store each time, empty before the first. */
  readonly open: () => Promise<ObjectStore>;
  /** The same kind of store at a place that does not exist. */
  readonly openMisplaced?: () => Promise<ObjectStore>;
}

export const bytes = (content: Uint8Array | string): ObjectBody => ({ kind: 'bytes', bytes: Buffer.from(content) });
export const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

export const failsWith = (code: ErrorCode) => (error: unknown) => {
  assert.ok(error instanceof DormouseError, String(error));
  assert.equal(error.code, code, error.message);
  return true;
};

export async function collect(items: AsyncIterable<ObjectInfo>): Promise<ObjectInfo[]> {
  const collected: ObjectInfo[] = [];
  for await (const { key, sizeBytes } of items) collected.push({ key, sizeBytes });
  return collected;
}

export const listKeys = async (store: ObjectStore, prefix: string): Promise<string[]> =>
  (await collect(store.list(prefix))).map(({ key }) => key);

/** A folder of the test's own, gone when its process ends: a filtered run leaves out the hooks of its suite. */
export async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-store-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function conformance(subject: ConformanceSubject): void {
  suite(`${subject.name}: object store conformance`, async () => {
    const store = await subject.open();
    const scratch = await scratchFolder();
    after(() => store.close());
    testObjects(store, scratch);
    testRanges(store);
    testListing(store);
    testRefusals(store, scratch);
    testRaces(subject);
    const { openMisplaced } = subject;
    if (openMisplaced === undefined) return;
    test('a place that does not exist is told apart from a missing object', async () => {
      const misplaced = await openMisplaced();
      const misconfigured = failsWith('store-misconfigured');
      await assert.rejects(misplaced.head('a'), misconfigured);
      await assert.rejects(misplaced.get('a'), misconfigured);
      await assert.rejects(misplaced.getRange('a', { start: 0, length: 1 }), misconfigured);
      await assert.rejects(misplaced.put('a', bytes('x')), misconfigured);
      await assert.rejects(misplaced.create('a', bytes('x')), misconfigured);
      await assert.rejects(collect(misplaced.list('')), misconfigured);
      await assert.rejects(misplaced.check(), misconfigured);
      await misplaced.close();
    });
  });
}

const sizes = [0, 1, 100 * KiB, testLimits.partSizeBytes, testLimits.partSizeBytes + 1, 20 * MiB + 7];

function testObjects(store: ObjectStore, scratch: string): void {
  for (const size of sizes) {
    test(`an object of ${size} bytes comes back as it went in, from memory and from a file`, async () => {
      const content = randomBytes(size);
      const source = path.join(scratch, `source-${size}`);
      await writeFile(source, content);
      await store.put(`round/memory-${size}`, bytes(content));
      await store.put(`round/file-${size}`, { kind: 'file', path: source, sizeBytes: size });
      for (const key of [`round/memory-${size}`, `round/file-${size}`]) {
        assert.ok((await store.get(key)).equals(content));
        assert.deepEqual(await store.head(key), { key, sizeBytes: size });
        const target = path.join(scratch, `target-${size}`);
        assert.deepEqual(await store.getToFile(key, target), { sizeBytes: size, sha256: sha256(content) });
        assert.ok((await readFile(target)).equals(content));
      }
    });
  }

  test('put replaces, create does not, and neither leaves anything but the object', async () => {
    await store.put('write/a', bytes('first and longer'));
    await store.put('write/a', bytes('second'));
    assert.equal(String(await store.get('write/a')), 'second');
    assert.equal(await store.create('write/a', bytes('third')), 'exists');
    assert.equal(String(await store.get('write/a')), 'second');
    assert.equal(await store.create('write/b', bytes('same')), 'created');
    assert.equal(await store.create('write/b', bytes('same')), 'exists');
    assert.deepEqual(await listKeys(store, 'write/'), ['write/a', 'write/b']);
  });

  test('delete removes, may be repeated, and frees the key and its folder', async () => {
    await store.put('gone/deep/er/a', bytes('x'));
    await store.delete('gone/deep/er/a');
    await store.delete('gone/deep/er/a');
    await store.delete('never/was');
    assert.equal(await store.head('gone/deep/er/a'), undefined);
    assert.deepEqual(await listKeys(store, 'gone/'), []);
    assert.equal(await store.create('gone/deep/er/a', bytes('y')), 'created');
    assert.equal(String(await store.get('gone/deep/er/a')), 'y');
  });

  test('check passes and leaves nothing', async () => {
    await store.check();
    assert.deepEqual(await listKeys(store, 'check/'), []);
  });
}

function testRanges(store: ObjectStore): void {
  const content = randomBytes(300 * KiB);
  const objectBytes = content.length;

  test('a range is exactly what the object has of it, and says how large the object is', async () => {
    await store.put('range/a', bytes(content));
    for (const [start, length] of [
      [0, 1],
      [0, objectBytes],
      [0, objectBytes + 1],
      [1, 100],
      [objectBytes - 1, 1],
      [objectBytes - 1, 1000],
      [objectBytes, 1],
      [objectBytes + 1000, 1000],
    ] as const) {
      const range = await store.getRange('range/a', { start, length });
      assert.equal(range.objectBytes, objectBytes);
      assert.ok(range.bytes.equals(content.subarray(start, start + length)), `${start}+${length}`);
    }
  });

  test('of an empty object there is nothing, and a missing one is told as such', async () => {
    await store.put('range/empty', bytes(''));
    assert.deepEqual(await store.getRange('range/empty', { start: 0, length: 1 }), {
      bytes: Buffer.alloc(0),
      objectBytes: 0,
    });
    await assert.rejects(store.getRange('range/none', { start: 0, length: 1 }), failsWith('store-object-missing'));
  });

  test('several ranges at once, in order, are the object', async () => {
    const large = randomBytes(3 * rangeBytes + 5);
    await store.put('range/large', bytes(large));
    const pieces = await Array.fromAsync(readInRanges(store, 'range/large', large.length, () => undefined));
    assert.equal(pieces.length, 4);
    assert.ok(Buffer.concat(pieces).equals(large));
  });
}

function testListing(store: ObjectStore): void {
  test('a prefix lists what is below it and nothing beside it, in key order across folders', async () => {
    const keys = ['edge/a-b', 'edge/a.b', 'edge/a/x', 'edge/a/y/z', 'edge/a0', 'edge/a=b', 'edge/aa/x', 'edge/b'];
    for (const key of [...keys, 'edgea/x', 'edge2/x', 'edg/e']) await store.put(key, bytes(key));
    assert.deepEqual(
      await collect(store.list('edge/')),
      keys.map((key) => ({ key, sizeBytes: key.length })),
    );
    assert.deepEqual(await listKeys(store, 'edge/a/'), ['edge/a/x', 'edge/a/y/z']);
    assert.deepEqual(await listKeys(store, 'edge/none/'), []);
    assert.deepEqual(await listKeys(store, 'edge/b/'), []);
    const all = await listKeys(store, '');
    assert.deepEqual(all, all.toSorted());
    assert.ok(all.includes('edg/e') && all.includes('edge/b'));
  });

  test('a listing says when each object was written', async () => {
    await store.put('dated/a', bytes('a'));
    const [object] = await Array.fromAsync(store.list('dated/'));
    assert.ok(object);
    assert.ok(Math.abs(Date.now() - object.modifiedAtMs) < 60_000, String(object.modifiedAtMs));
  });

  test('a listing goes on over page ends, and can be left in the middle', async () => {
    const keys = Array.from({ length: 1_105 }, (_, index) => `many/${String(index).padStart(12, '0')}.json`);
    const queue = keys.values();
    const worker = async (): Promise<void> => {
      for (const key of queue) await store.put(key, bytes('{}'));
    };
    await Promise.all(Array.from({ length: 16 }, worker));
    assert.deepEqual(await listKeys(store, 'many/'), keys);
    for await (const { key } of store.list('many/')) {
      assert.equal(key, keys[0]);
      break;
    }
  });
}

function testRefusals(store: ObjectStore, scratch: string): void {
  test('a missing object is told as such and leaves no file', async () => {
    await assert.rejects(store.get('missing/a'), failsWith('store-object-missing'));
    const target = path.join(scratch, 'missing');
    await assert.rejects(store.getToFile('missing/a', target), failsWith('store-object-missing'));
    assert.deepEqual(await leftovers(scratch, 'missing'), []);
    assert.equal(await store.head('missing/a'), undefined);
  });

  test('a read refuses more than it may bring into memory or onto the disk', async () => {
    await store.put('large/a', bytes(Buffer.alloc(1_000)));
    assert.equal((await store.get('large/a', { maxBytes: 1_000 })).length, 1_000);
    await assert.rejects(store.get('large/a', { maxBytes: 999 }), failsWith('store-object-too-large'));
    const target = path.join(scratch, 'large');
    assert.equal((await store.getToFile('large/a', target, { maxBytes: 1_000 })).sizeBytes, 1_000);
    await rm(target);
    await assert.rejects(store.getToFile('large/a', target, { maxBytes: 999 }), failsWith('store-object-too-large'));
    assert.deepEqual(await leftovers(scratch, 'large'), []);
  });

  test('a file that is not there, or not as long as announced, stores nothing', async () => {
    const source = path.join(scratch, 'short');
    await writeFile(source, 'abc');
    const wrong: ObjectBody = { kind: 'file', path: source, sizeBytes: 4 };
    await assert.rejects(store.put('wrong/a', wrong), failsWith('internal'));
    await assert.rejects(store.create('wrong/a', { ...wrong, path: `${source}-none` }), failsWith('internal'));
    assert.equal(await store.head('wrong/a'), undefined);
  });

  test('a target that cannot be written is no fault of the store', async () => {
    await store.put('local/a', bytes('x'));
    await assert.rejects(store.getToFile('local/a', path.join(scratch, 'no', 'folder')), failsWith('internal'));
  });

  test('keys and prefixes that are none are refused before anything happens', async () => {
    for (const key of [
      '',
      '/',
      '/a',
      'a/',
      'a//b',
      '.',
      '..',
      '../a',
      'a/../b',
      'a/./b',
      '.tmp/a',
      'a b',
      'ä',
      'a\0b',
      'a\\b',
    ]) {
      await assert.rejects(async () => store.put(key, bytes('x')), failsWith('internal'), key);
      await assert.rejects(async () => store.head(key), failsWith('internal'), key);
      await assert.rejects(async () => store.delete(key), failsWith('internal'), key);
    }
    for (const prefix of ['a', '/', '../', 'a/../', '.tmp/']) {
      await assert.rejects(async () => collect(store.list(prefix)), failsWith('internal'), prefix);
    }
  });

  test("a call ends with its caller's signal, with the caller's own error if it is one of ours", async () => {
    const shuttingDown = new DormouseError('shutting-down', 'bye');
    await assert.rejects(store.get('a', { signal: AbortSignal.abort(shuttingDown) }), failsWith('shutting-down'));
    await assert.rejects(
      store.put('signal/a', bytes('x'), { signal: AbortSignal.abort() }),
      failsWith('deadline-exceeded'),
    );
    assert.equal(await store.head('signal/a'), undefined);
  });
}

export const leftovers = async (folder: string, start: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.startsWith(start));

const racers = 20;
const races = [
  { size: 100, rounds: 10 },
  { size: 100 * KiB, rounds: 5 },
  { size: MiB, rounds: 5 }, // more than a part: multipart, resumable
  { size: 6 * MiB, rounds: 2 }, // several parts
];

function testRaces(subject: ConformanceSubject): void {
  for (const { size, rounds } of races) {
    const isLoose = size > testLimits.partSizeBytes && subject.shortfalls?.createInPartsMayHaveSeveralWinners === true;
    const winnersWanted = isLoose ? 'at least one wins (KNOWN SHORTFALL: should be exactly one)' : 'exactly one wins';
    test(`of ${racers} concurrent creators of ${size} bytes ${winnersWanted}, and its content stands`, async () => {
      const stores = await Promise.all(Array.from({ length: 4 }, () => subject.open()));
      for (let round = 0; round < Math.min(rounds, subject.raceRounds ?? rounds); round += 1) {
        const key = `race/${size}/${randomUUID()}`;
        const contents = Array.from({ length: racers }, () => randomBytes(size));
        const outcomes = await Promise.all(
          contents.map((content, index) => pick(stores, index).create(key, bytes(content))),
        );
        const winners = contents.filter((_, index) => outcomes[index] === 'created');
        assert.ok(winners.length === 1 || (isLoose && winners.length > 1), `${winners.length} winners`);
        const standing = await pick(stores, round).get(key);
        assert.ok(
          winners.some((content) => content.equals(standing)),
          'the content of a loser stands',
        );
      }
      await Promise.all(stores.map((store) => store.close()));
    });
  }
}

export function pick<T>(items: readonly T[], index: number): T {
  const item = items[index % items.length];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}
