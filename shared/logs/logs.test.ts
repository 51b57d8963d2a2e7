import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { openObjectStore } from '../object-store/open.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { objectKeys } from '../snapshot/object-keys.ts';
import { createSieve, newestOf, sizeOf, type LogLine } from './line.ts';
import { newEncryptionKey } from '../encryption/key-ring.ts';
import { dropLines, encodeLines, listStored, putLines, readStored } from './stored.ts';

const line = (sequence: number, unixNanos: number, text = `line ${sequence} of ${unixNanos}`): LogLine => ({
  ...{ sequence: BigInt(sequence), unixNanos: BigInt(unixNanos), container: 'main' },
  ...{ isError: sequence % 2 === 0, text },
});
const texts = (lines: readonly LogLine[]): string[] => lines.map(({ text }) => text);

suite('lines of a log', () => {
  test('each passes once, from wherever it comes', () => {
    const sieve = createSieve();
    const lines = [line(1, 10), line(2, 10), line(3, 11)];
    assert.deepEqual(sieve(lines.slice(0, 2)), lines.slice(0, 2));
    assert.deepEqual(sieve(lines), lines.slice(2));
    assert.deepEqual(sieve(lines), []);
  });

  test('after a fall back the numbers come again, with later times, and are new', () => {
    const sieve = createSieve();
    sieve([line(1, 10), line(2, 20), line(3, 30)]);
    const again = [line(1, 10), line(2, 40), line(3, 50), line(4, 60)];
    assert.deepEqual(sieve(again), again.slice(1));
    assert.deepEqual(sieve(again), []);
  });

  test('the newest that fit are kept', () => {
    const lines = [line(1, 1), line(2, 2), line(3, 3)];
    assert.deepEqual(newestOf(lines, 2 * sizeOf(line(1, 1))), lines.slice(1));
    assert.deepEqual(newestOf(lines, 0), []);
  });
});

suite('lines in the store', () => {
  const uid = '01234567-89ab-4cde-8f01-23456789abcd';
  let folder: string;
  let store: ObjectStore;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dormouse-logs-'));
    store = await openObjectStore(pathToFileURL(folder).href);
  });
  after(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  const put = async (epoch: string, attempt: number, lines: readonly LogLine[]): Promise<void> =>
    store.put(objectKeys.actorLog('alice', uid, epoch, attempt), { kind: 'bytes', bytes: await encodeLines(lines) });

  test('they come back in the order of the activations, each once; a damaged object is left out', async () => {
    const awkward = line(3, 30, 'quotes " and \\ and ünïcode \u0000 in it');
    await put('1.10', 1, [line(2, 20), awkward]);
    await put('1.9', 2, [line(1, 10), line(2, 20)]);
    await put('1.9', 1, [line(1, 10)]);
    await store.put(objectKeys.actorLog('alice', uid, '1.11', 1), { kind: 'bytes', bytes: Buffer.from('no zstd') });
    await store.put(`${objectKeys.actorLogs('alice', uid)}stranger`, { kind: 'bytes', bytes: Buffer.from('x') });
    assert.equal((await listStored(store, 'alice', uid)).length, 4);
    const lines = (await readStored({ store, keyRing: [] }, 'alice', uid)) ?? [];
    assert.deepEqual(texts(lines), texts([line(1, 10), line(2, 20), awkward]));
    assert.deepEqual(
      lines.map(({ isError }) => isError),
      [false, true, false],
    );
    assert.deepEqual(await readStored({ store, keyRing: [] }, 'bob', uid), []);
  });

  test('sealed ones need a key, beside plain ones; without the right one they are left out; their keys go with them', async () => {
    const [first, second] = ['first', 'second'].map((id) => newEncryptionKey(id, randomBytes(32)));
    assert.ok(first && second);
    const keyOf = (attempt: number) => objectKeys.actorLog('sealed', uid, '1.1', attempt);
    await putLines({ store, keyRing: [] }, keyOf(1), [line(1, 10, 'plain words')]);
    await putLines({ store, keyRing: [first] }, keyOf(2), [line(2, 20, 'sealed words')]);
    await putLines({ store, keyRing: [second, first] }, keyOf(3), [line(3, 30, 'more of them')]);
    const bytes = await store.get(keyOf(2), { maxBytes: 1000 });
    assert.equal(Buffer.from(bytes).subarray(0, 8).toString(), 'DMSEAL01');
    const read = async (...keyRing: NonNullable<typeof first>[]) => readStored({ store, keyRing }, 'sealed', uid);
    assert.equal(await read(), undefined);
    assert.deepEqual(texts((await read(second, first)) ?? []), ['plain words', 'sealed words', 'more of them']);
    assert.deepEqual(texts((await read(first)) ?? []), ['plain words', 'sealed words']);
    await assert.rejects(putLines({ store, keyRing: [first] }, keyOf(2), []), { code: 'internal' });
    await dropLines(store, keyOf(2));
    assert.deepEqual(texts((await read(second, first)) ?? []), ['plain words', 'more of them']);
    const left = (await Array.fromAsync(store.list(objectKeys.actorLogs('sealed', uid)))).map(({ key }) => key);
    assert.deepEqual(left, [keyOf(1), keyOf(3), objectKeys.wrappedKey(keyOf(3), 'second')]);
  });
});
