import assert from 'node:assert/strict';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { recordFromLog } from '../../shared/actor/restored-record.ts';
import type { ActorRecord } from '../../shared/registry/records.ts';
import { catchUp, listSequences, readEntry, readHead } from '../../shared/snapshot/actor-log.ts';
import { memoryChain, neededParts, type SnapshotManifest } from '../../shared/snapshot/manifest.ts';
import { objectKeys } from '../../shared/snapshot/object-keys.ts';
import { openSampleStore, putActor, type SampleActor, type SampleStore } from '../../shared/snapshot/sample-log.ts';
import { durableState } from './durable-state.ts';
import { dropOldGenerations } from './retention.ts';
import { commitSnapshot } from './ship.ts';

suite('what a resume starts from', () => {
  let sample: SampleStore;
  let actor: SampleActor;
  beforeEach(async () => {
    sample = await openSampleStore();
    actor = await putActor(sample.store, 'a');
  });
  afterEach(() => sample[Symbol.asyncDispose]());

  const signal = AbortSignal.timeout(30_000);
  const known = async (): Promise<ActorRecord> => {
    const head = await readHead(sample.store, 'a');
    assert.ok(head.created);
    return recordFromLog(head.created, head, 256, 'test');
  };
  const resume = (record: ActorRecord, epoch = '1.50') => durableState(sample.store, record, epoch, signal);
  const dropAll = (seq: number, generation: number, manifest: SnapshotManifest) =>
    dropOldGenerations(sample.store, 'a', { uid: actor.uid, generation, seq, manifest }, 1, signal);

  test('a registry that lags behind is led to the newest generation, over every hole', async () => {
    const golden = await known();
    await actor.commit('1.1');
    const behind = await known();
    await actor.fence('1.1');
    await actor.commit('1.2');
    await dropAll(5, 3, await actor.commit('1.3'));
    await sample.store.delete(objectKeys.logEntry('a', 3)); // the fence, as it goes when it is a day old
    assert.deepEqual(await listSequences(sample.store, 'a'), [5, 1]);
    assert.deepEqual(
      (await catchUp(sample.store, 'a', 2)).map(({ seq }) => seq),
      [5],
      'a hole hides nothing from those who look for later entries',
    );
    for (const record of [golden, behind, await known()]) {
      const state = await resume(record);
      assert.deepEqual([state.generation, state.snapshot?.seq, state.logSeq], [3, 5, 5]);
    }
  });

  test('what a late writer put into a hole is followed by nobody', async () => {
    const first = await actor.commit('1.1');
    const behind = await known();
    await actor.commit('1.2');
    await dropAll(4, 3, await actor.commit('1.3'));
    const late = { id: 'a', uid: actor.uid, epoch: '1.1', node: 'node-1', generation: 2, afterSeq: 2 };
    await commitSnapshot(sample.store, late, first, signal);
    assert.equal((await readEntry(sample.store, 'a', 3)).kind, 'snapshot');
    assert.equal((await resume(behind)).generation, 3);
  });

  test('a generation that the log has lost is said to be missing, never replaced by an older one', async () => {
    await actor.commit('1.1');
    await actor.commit('1.2');
    const record = await known();
    await sample.store.delete(objectKeys.logEntry('a', 3));
    await assert.rejects(resume(record), { code: 'snapshot-missing' });
  });

  test('a deleted actor, or the next of its name, is not resumed', async () => {
    const record = await known();
    await actor.append({ kind: 'deleted' });
    await assert.rejects(resume(record), { code: 'actor-deleted' });
    await putActor(sample.store, 'a', actor.seq);
    await assert.rejects(resume(record), { code: 'actor-deleted' });
  });

  test('the first activation of a new life fences, and a late commit loses', async () => {
    const first = await actor.commit('1.1');
    const record = { ...(await known()), unfenced: true };
    const state = await resume(record, '2.4');
    assert.deepEqual([state.generation, state.logSeq], [1, 3]);
    const fence = await readEntry(sample.store, 'a', 3);
    assert.equal(fence.kind === 'fence' && fence.fencedEpoch, '2.3');
    assert.equal((await resume(record, '2.5')).logSeq, 3, 'a second attempt finds it');
    const late = { id: 'a', uid: actor.uid, epoch: '1.9', node: 'node-1', generation: 2, afterSeq: 2 };
    await assert.rejects(commitSnapshot(sample.store, late, first, signal), { code: 'commit-lost' });
  });

  test('a fence of an earlier activation does not cost a later one its commit; one of its own does', async () => {
    const first = await actor.commit('1.1');
    const held = { id: 'a', uid: actor.uid, epoch: '1.9', node: 'node-1', generation: 2, afterSeq: actor.seq };
    await actor.fence('1.5'); // by a reaper whose registry came back older
    const { generation, seq } = await commitSnapshot(sample.store, held, first, signal);
    assert.deepEqual([generation, seq], [2, 4]);
    actor.seq = seq;
    await actor.fence('1.9');
    const late = { ...held, generation: 3, afterSeq: seq };
    const next = { ...first, parts: { ...first.parts, memory: { ...first.parts.memory, key: 'another' } } };
    await assert.rejects(commitSnapshot(sample.store, late, next, signal), { code: 'commit-lost' });
  });

  test('a commit that was there before the fence counts', async () => {
    const record = { ...(await known()), unfenced: true };
    await actor.commit('1.9');
    const state = await resume(record, '2.1');
    assert.deepEqual([state.generation, state.snapshot?.epoch, state.logSeq], [1, '1.9', 3]);
  });
});

suite('retention', () => {
  test('keeps as many generations as wanted, the newest always, and leaves young fences', async () => {
    await using sample = await openSampleStore();
    const { store } = sample;
    const actor = await putActor(store, 'a');
    const manifests = [await actor.commit('1.1'), await actor.commit('1.2'), await actor.commit('1.3')];
    await actor.fence('1.3');
    manifests.push(await actor.commit('1.4'));
    const manifest = manifests.at(-1);
    assert.ok(manifest);
    const newest = { uid: actor.uid, generation: 4, seq: actor.seq, manifest };
    const signal = AbortSignal.timeout(30_000);
    assert.equal((await dropOldGenerations(store, 'a', newest, 2, signal)).dropped, 2);
    assert.deepEqual(await listSequences(store, 'a'), [6, 5, 4, 1]);
    assert.equal((await dropOldGenerations(store, 'a', newest, 0, signal)).dropped, 1, 'none at all is not on offer');
    assert.deepEqual(await listSequences(store, 'a'), [6, 5, 1]);
    const there = await Promise.all(manifests.map(({ parts }) => store.head(parts.memory.key)));
    assert.deepEqual(
      there.map((object) => object !== undefined),
      [false, false, false, true],
    );
  });

  test('a part that a generation which stays lies over stays with it, and goes with the last of them', async () => {
    await using sample = await openSampleStore();
    const { store } = sample;
    const actor = await putActor(store, 'a');
    const whole = await actor.commit('1.1');
    const second = await actor.commit('1.2', 1, memoryChain(whole));
    const third = await actor.commit('1.3', 1, memoryChain(second));
    const signal = AbortSignal.timeout(30_000);
    const drop = async (manifest: SnapshotManifest, retain: number): Promise<number> => {
      const newest = { uid: actor.uid, generation: actor.generation, seq: actor.seq, manifest };
      return (await dropOldGenerations(store, 'a', newest, retain, signal)).dropped;
    };
    const left = async (): Promise<string[]> =>
      (await Array.fromAsync(store.list(objectKeys.actorBlobs('a', actor.uid)))).map(({ key }) => key);

    assert.equal(await drop(third, 1), 2);
    assert.deepEqual(
      await left(),
      neededParts(third)
        .map(({ key }) => key)
        .sort(),
    );
    const anew = await actor.commit('1.4');
    assert.equal(await drop(anew, 2), 0, 'nothing that the third needs goes while it stays');
    assert.deepEqual(await left(), [...neededParts(third), ...neededParts(anew)].map(({ key }) => key).sort());
    assert.equal(await drop(anew, 1), 1);
    assert.deepEqual(
      await left(),
      neededParts(anew)
        .map(({ key }) => key)
        .sort(),
    );

    const fifth = await actor.commit('1.5', 1, memoryChain(anew));
    await store.put(objectKeys.logEntry('a', 2 ** 20), { kind: 'bytes', bytes: Buffer.from('{') });
    assert.equal(await drop(fifth, 1), 1);
    assert.equal((await left()).length, 4, 'what an entry that cannot be read needs is not known: no part goes');
  });

  test('an entry that was tampered with takes nobody else’s object along, and a damaged one stops nothing', async () => {
    await using sample = await openSampleStore();
    const { store } = sample;
    const victim = await putActor(store, 'victim');
    const manifest = await victim.commit('1.1');
    const actor = await putActor(store, 'a');
    await actor.append({ kind: 'snapshot', generation: 1, epoch: '1.2', node: 'node-1', manifest });
    actor.generation = 1;
    await actor.commit('1.3');
    await store.put(objectKeys.logEntry('a', 2 ** 20), { kind: 'bytes', bytes: Buffer.from('{') });
    const newest = { uid: actor.uid, generation: 3, seq: 2 ** 21, manifest: await actor.commit('1.4') };
    assert.equal((await dropOldGenerations(store, 'a', newest, 1, AbortSignal.timeout(30_000))).dropped, 1);
    assert.ok(await store.head(manifest.parts.memory.key));
  });
});
