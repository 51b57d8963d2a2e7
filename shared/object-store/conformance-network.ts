/** What every driver must do when the network between it and its server fails, run through a proxy that makes it fail. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { after, suite, test } from 'node:test';
import { bytes, collect, failsWith, KiB, leftovers, MiB, scratchFolder, sha256, testLimits } from './conformance.ts';
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts';
import { passingFailures } from './conformance-passing.ts';
import type { ObjectStore } from './object-store.ts';
import type { NetworkSubject } from './network-subject.ts';
import type { StoreLimits } from './store-limits.ts';

const any = (): boolean => true;
/** For what never succeeds. */
const hastyLimits: StoreLimits = { ...testLimits, callTimeoutMs: 1_500, slowestBytesPerSecond: 100 * MiB };
const uploads = [
  { kind: 'small', size: 10 * KiB },
  { kind: 'large', size: 6 * MiB },
];

export function networkConformance(subject: NetworkSubject): void {
  suite(`${subject.name}: failures of the network`, async () => {
    const proxy = await startFaultProxy(subject.endpoint);
    const store = await subject.openAt(proxy.endpoint, testLimits);
    const hasty = await subject.openAt(proxy.endpoint, hastyLimits);
    const scratch = await scratchFolder();
    after(async () => {
      await store.close();
      await hasty.close();
      await proxy[Symbol.asyncDispose]();
    });
    for (const upload of uploads) testLostAnswers(subject, proxy, store, hasty, upload);
    testCutTransfers(subject, proxy, store, hasty, scratch);
    testNoAnswer(subject, proxy, store, hasty);
    passingFailures({ subject, proxy, store, hasty, scratch });
  });
}

function testLostAnswers(
  subject: NetworkSubject,
  proxy: FaultProxy,
  store: ObjectStore,
  hasty: ObjectStore,
  { kind, size }: { kind: string; size: number },
): void {
  test(`the winner of a ${kind} create learns that it won, though the answer was lost twice`, async () => {
    const content = randomBytes(size);
    proxy.breakNext(2, { kind: 'lose-answer' }, (request) => subject.isCommit(request));
    assert.equal(await store.create(`lost/won-${kind}`, bytes(content)), 'created');
    assert.ok(proxy.broken() >= 1);
    assert.ok((await store.get(`lost/won-${kind}`)).equals(content));
    proxy.breakNext(0, { kind: 'hang' }, any);
    assert.equal(await store.create(`lost/won-${kind}`, bytes(content)), 'exists');
  });

  test(`the loser of a ${kind} create with equal content learns that it lost, though the answer was lost`, async () => {
    const content = randomBytes(size);
    proxy.breakNext(0, { kind: 'hang' }, any);
    assert.equal(await store.create(`lost/other-${kind}`, bytes(content)), 'created');
    proxy.breakNext(1, { kind: 'lose-answer' }, (request) => subject.isCommit(request));
    assert.equal(await store.create(`lost/other-${kind}`, bytes(content)), 'exists');
    assert.equal(proxy.broken(), 1);
  });

  test(`a ${kind} put gets over a lost answer and two servers that were busy`, async () => {
    const content = randomBytes(size);
    proxy.breakNext(1, { kind: 'lose-answer' }, (request) => subject.isCommit(request));
    await store.put(`lost/put-${kind}`, bytes(content));
    assert.equal(proxy.broken(), 1);
    proxy.breakNext(2, { kind: 'answer', status: 503 }, any);
    await store.put(`lost/put-${kind}`, bytes(content));
    assert.equal(proxy.broken(), 2);
    assert.ok((await store.get(`lost/put-${kind}`)).equals(content));
  });

  test(`a ${kind} create that never gets an answer is an error, not an outcome`, async () => {
    proxy.breakNext(1_000, { kind: 'hang' }, (request) => subject.isCommit(request));
    await assert.rejects(hasty.create(`lost/never-${kind}`, bytes(randomBytes(size))), failsWith('store-unavailable'));
    proxy.breakNext(0, { kind: 'hang' }, any);
    assert.equal(await store.head(`lost/never-${kind}`), undefined);
  });
}

function testCutTransfers(
  subject: NetworkSubject,
  proxy: FaultProxy,
  store: ObjectStore,
  hasty: ObjectStore,
  scratch: string,
): void {
  const content = randomBytes(3 * MiB);
  const download = (request: IncomingMessage): boolean => subject.isDownload(request);

  test('a transfer that is cut once is done again', async () => {
    proxy.breakNext(0, { kind: 'hang' }, any);
    await store.put('cut/a', bytes(content));
    const target = path.join(scratch, 'once');
    proxy.breakNext(1, { kind: 'cut-answer', afterBytes: MiB }, download);
    assert.deepEqual(await store.getToFile('cut/a', target), { sizeBytes: content.length, sha256: sha256(content) });
    proxy.breakNext(1, { kind: 'cut-answer', afterBytes: MiB }, download);
    assert.ok((await store.get('cut/a')).equals(content));
    assert.equal(proxy.broken(), 1);
    proxy.breakNext(1, { kind: 'cut-answer', afterBytes: KiB }, download);
    const { bytes: piece } = await store.getRange('cut/a', { start: 5, length: MiB });
    assert.ok(piece.equals(content.subarray(5, 5 + MiB)));
    assert.equal(proxy.broken(), 1);
    assert.deepEqual(await leftovers(scratch, 'once'), ['once']);
  });

  test('a transfer that is cut each time is an error and leaves no file', async () => {
    proxy.breakNext(1_000, { kind: 'cut-answer', afterBytes: MiB }, download);
    await assert.rejects(hasty.getToFile('cut/a', path.join(scratch, 'cut')), failsWith('store-unavailable'));
    await assert.rejects(hasty.get('cut/a'), failsWith('store-unavailable'));
    const range = { start: 0, length: 2 * MiB };
    await assert.rejects(hasty.getRange('cut/a', range), failsWith('store-unavailable'));
    assert.ok(proxy.broken() >= 2);
    assert.deepEqual(await leftovers(scratch, 'cut'), []);
  });
}

function testNoAnswer(subject: NetworkSubject, proxy: FaultProxy, store: ObjectStore, hasty: ObjectStore): void {
  test('a server that hangs ends every call at its deadline', async () => {
    proxy.breakNext(1_000, { kind: 'hang' }, any);
    await rejectsInTime(hasty);
    proxy.breakNext(0, { kind: 'hang' }, any);
    await store.put('after/hang', bytes('x'));
  });

  test('a server that is down ends every call at its deadline', async () => {
    const gone = await startFaultProxy(subject.endpoint);
    await gone[Symbol.asyncDispose]();
    const down = await subject.openAt(gone.endpoint, hastyLimits);
    await rejectsInTime(down);
    await down.close();
  });

  test('a refusal of the credentials is final', async () => {
    proxy.breakNext(1_000, { kind: 'answer', status: 403 }, any);
    await assert.rejects(store.put('denied/a', bytes('x')), failsWith('store-denied'));
    await assert.rejects(store.create('denied/a', bytes('x')), failsWith('store-denied'));
    await assert.rejects(store.get('denied/a'), failsWith('store-denied'));
    await assert.rejects(store.getRange('denied/a', { start: 0, length: 1 }), failsWith('store-denied'));
    await assert.rejects(store.getToFile('denied/a', '/tmp/dormouse-never-written'), failsWith('store-denied'));
    await assert.rejects(store.head('denied/a'), failsWith('store-denied'));
    await assert.rejects(store.delete('denied/a'), failsWith('store-denied'));
    await assert.rejects(collect(store.list('denied/')), failsWith('store-denied'));
    assert.equal(proxy.broken(), 8);
  });
}

/** All at once: each has the same deadline. */
async function rejectsInTime(store: ObjectStore): Promise<void> {
  const startedAt = performance.now();
  const unavailable = failsWith('store-unavailable');
  await Promise.all([
    assert.rejects(store.put('down/a', bytes('x')), unavailable),
    assert.rejects(store.put('down/b', bytes(Buffer.alloc(MiB))), unavailable),
    assert.rejects(store.create('down/c', bytes('x')), unavailable),
    assert.rejects(store.get('down/a'), unavailable),
    assert.rejects(store.getRange('down/a', { start: 0, length: 1 }), unavailable),
    assert.rejects(store.getToFile('down/a', '/tmp/dormouse-never-written'), unavailable),
    assert.rejects(store.head('down/a'), unavailable),
    assert.rejects(store.delete('down/a'), unavailable),
    assert.rejects(collect(store.list('')), unavailable),
    assert.rejects(store.check(), unavailable),
  ]);
  const tookMs = performance.now() - startedAt;
  assert.ok(tookMs < 3 * hastyLimits.callTimeoutMs, `took ${tookMs} ms`);
}
