/**
 * Failures that pass: every call of the port gets over a server that is busy, that hangs, or that breaks a transfer off,
 * within its deadline, and believes nothing that it got only in part. Each test breaks exactly the requests it means to,
 * and checks that they were broken.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, test } from 'node:test';
import { bytes, collect, failsWith, KiB, leftovers, listKeys, MiB, sha256, testLimits } from './conformance.ts';
import type { FaultProxy } from './fault-proxy.ts';
import type { NetworkSubject } from './network-subject.ts';
import type { ObjectStore } from './object-store.ts';

export interface PassingParts {
  readonly subject: NetworkSubject;
  readonly proxy: FaultProxy;
  readonly store: ObjectStore;
  /** Gives up soon. */
  readonly hasty: ObjectStore;
  readonly scratch: string;
}

const any = (): boolean => true;
const small = randomBytes(10 * KiB);
const large = randomBytes(3 * MiB);
/** A third of it is what a hung attempt costs. */
const impatient = { ...testLimits, callTimeoutMs: 2_100 };

export function passingFailures(parts: PassingParts): void {
  testEveryCall(parts);
  testDownloads(parts);
  testUploads(parts);
  testListings(parts);
}

/** Each call of the port as a sentence of its own: what it does, and what must hold afterwards. */
function calls(store: ObjectStore, scratch: string, round: string): Record<string, () => Promise<void>> {
  const target = path.join(scratch, `passing-${round}`);
  return {
    put: async () => {
      await store.put(`passing/put-${round}`, bytes(small));
      assert.ok((await store.get(`passing/put-${round}`)).equals(small));
    },
    create: async () => {
      assert.equal(await store.create(`passing/create-${round}`, bytes(small)), 'created');
      assert.ok((await store.get(`passing/create-${round}`)).equals(small));
    },
    get: async () => assert.ok((await store.get('passing/there')).equals(small)),
    getRange: async () => {
      const { bytes: piece } = await store.getRange('passing/there', { start: 7, length: 100 });
      assert.ok(piece.equals(small.subarray(7, 107)));
    },
    getToFile: async () => {
      await store.getToFile('passing/there', target);
      assert.ok((await readFile(target)).equals(small));
    },
    head: async () => assert.equal((await store.head('passing/there'))?.sizeBytes, small.length),
    list: async () => assert.deepEqual(await listKeys(store, 'passing-list/'), ['passing-list/a', 'passing-list/b']),
    delete: async () => {
      await store.delete(`passing/put-${round}`);
      assert.equal(await store.head(`passing/put-${round}`), undefined);
    },
  };
}

async function fill(store: ObjectStore, proxy: FaultProxy): Promise<void> {
  proxy.breakNext(0, { kind: 'hang' }, any);
  for (const key of ['passing/there', 'passing-list/a', 'passing-list/b']) await store.put(key, bytes(small));
}

function testEveryCall({ subject, proxy, store, scratch }: PassingParts): void {
  for (const status of [500, 503, 429]) {
    test(`every call gets over a server that answers ${status} twice`, async () => {
      await fill(store, proxy);
      for (const [name, call] of Object.entries(calls(store, scratch, String(status)))) {
        proxy.breakNext(2, { kind: 'answer', status }, any);
        await call();
        assert.equal(proxy.broken(), 2, name);
      }
    });
  }

  test('every call gets over a request that nobody answers, before its deadline', async () => {
    await fill(store, proxy);
    const waiting = await subject.openAt(proxy.endpoint, impatient);
    after(() => waiting.close());
    for (const [name, call] of Object.entries(calls(waiting, scratch, 'hang'))) {
      proxy.breakNext(1, { kind: 'hang' }, any);
      await call();
      assert.equal(proxy.broken(), 1, name);
    }
  });
}

function testDownloads({ subject, proxy, store, hasty, scratch }: PassingParts): void {
  const download = (request: IncomingMessage): boolean => subject.isDownload(request);

  test('a transfer that stops halfway with its connection open is done again', async () => {
    proxy.breakNext(0, { kind: 'hang' }, any);
    await store.put('stall/a', bytes(large));
    const waiting = await subject.openAt(proxy.endpoint, { ...impatient, slowestBytesPerSecond: 10 * MiB });
    proxy.breakNext(1, { kind: 'stall-answer', afterBytes: MiB }, download);
    assert.ok((await waiting.get('stall/a')).equals(large));
    assert.equal(proxy.broken(), 1);
    proxy.breakNext(1, { kind: 'stall-answer', afterBytes: MiB }, download);
    assert.equal((await waiting.getToFile('stall/a', path.join(scratch, 'stalled'))).sha256, sha256(large));
    assert.equal(proxy.broken(), 1);
    await waiting.close();
  });

  test('a slow transfer gets its time, one that is too slow is an error and leaves no file', async () => {
    proxy.breakNext(0, { kind: 'hang' }, any);
    await store.put('slow/a', bytes(large));
    proxy.breakNext(1, { kind: 'slow-answer', bytesPerSecond: 4 * MiB }, download);
    assert.equal((await store.getToFile('slow/a', path.join(scratch, 'slow'))).sha256, sha256(large));
    assert.equal(proxy.broken(), 1);
    proxy.breakNext(1_000, { kind: 'slow-answer', bytesPerSecond: 256 * KiB }, download);
    await assert.rejects(hasty.getToFile('slow/a', path.join(scratch, 'too-slow')), failsWith('store-unavailable'));
    await assert.rejects(hasty.get('slow/a'), failsWith('store-unavailable'));
    assert.deepEqual(await leftovers(scratch, 'too-slow'), []);
  });

  test('attempts that are cut early again and again do not buy time for more of them', async () => {
    proxy.breakNext(0, { kind: 'hang' }, any);
    await store.put('again/a', bytes(large));
    const limits = { ...testLimits, callTimeoutMs: 1_000 };
    const waiting = await subject.openAt(proxy.endpoint, limits);
    proxy.breakNext(1_000, { kind: 'cut-answer', afterBytes: KiB }, download);
    const startedAt = performance.now();
    await assert.rejects(waiting.get('again/a'), failsWith('store-unavailable'));
    const allowedMs = limits.callTimeoutMs + (large.length / limits.slowestBytesPerSecond) * 1_000;
    assert.ok(performance.now() - startedAt < 2 * allowedMs, 'it went on beyond the time of one transfer');
    await waiting.close();
  });
}

function testUploads({ proxy, store, hasty }: PassingParts): void {
  const hasBody = ({ method }: IncomingMessage): boolean => method === 'PUT' || method === 'POST';
  for (const [kind, content] of Object.entries({ small, large })) {
    test(`a ${kind} upload that is cut on its way is done again, and never stands in part`, async () => {
      for (const write of ['put', 'create'] as const) {
        const key = `cut-upload/${write}-${kind}`;
        proxy.breakNext(1, { kind: 'cut-request', afterBytes: 5 * KiB }, hasBody);
        await store[write](key, bytes(content));
        assert.equal(proxy.broken(), 1);
        assert.ok((await store.get(key)).equals(content));
      }
    });

    test(`a ${kind} upload that is cut each time is an error, and nothing stands`, async () => {
      for (const write of ['put', 'create'] as const) {
        const key = `cut-upload/never-${write}-${kind}`;
        proxy.breakNext(1_000, { kind: 'cut-request', afterBytes: 5 * KiB }, hasBody);
        await assert.rejects(hasty[write](key, bytes(content)), failsWith('store-unavailable'));
        proxy.breakNext(0, { kind: 'hang' }, any);
        assert.equal(await store.head(key), undefined);
      }
    });
  }
}

function testListings({ subject, proxy, store, hasty }: PassingParts): void {
  const listing = (request: IncomingMessage): boolean => subject.isListing(request);

  test('a listing that is cut is done again, with every key once; cut each time it is an error, not a shorter one', async () => {
    proxy.breakNext(0, { kind: 'hang' }, any);
    const keys = Array.from({ length: 30 }, (_, index) => `cut-list/${String(index).padStart(2, '0')}`);
    await Promise.all(keys.map((key) => store.put(key, bytes('x'))));
    proxy.breakNext(2, { kind: 'cut-answer', afterBytes: 600 }, listing);
    assert.deepEqual(await listKeys(store, 'cut-list/'), keys);
    assert.equal(proxy.broken(), 2);
    proxy.breakNext(1_000, { kind: 'cut-answer', afterBytes: 600 }, listing);
    await assert.rejects(collect(hasty.list('cut-list/')), failsWith('store-unavailable'));
  });
}
