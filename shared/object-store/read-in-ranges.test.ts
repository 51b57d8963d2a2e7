import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, suite, test } from 'node:test';
import { setImmediate as nextTick } from 'node:timers/promises';
import { DormouseError } from '../errors/dormouse-error.ts';
import { openSampleStore } from '../snapshot/sample-log.ts';
import type { ByteRange, ObjectRange, ObjectStore } from './object-store.ts';
import { rangeBytes, readInRanges } from './read-in-ranges.ts';

const content = randomBytes(9 * rangeBytes + 1);
const any = (): void => undefined;

/** A store whose ranges are held up: `between` is called before each is answered. */
const through = (store: ObjectStore, between: (range: ByteRange) => Promise<void>): ObjectStore => ({
  ...store,
  async getRange(key, range, options): Promise<ObjectRange> {
    await between(range);
    options?.signal?.throwIfAborted();
    return await store.getRange(key, range, options);
  },
});

suite('reading in ranges', async () => {
  const sample = await openSampleStore();
  const { store } = sample;
  await store.put('a/large', { kind: 'bytes', bytes: content });
  after(() => sample[Symbol.asyncDispose]());

  test('several are under way at once, a few at most, and they are given out in order', async () => {
    let [underWay, most] = [0, 0];
    const full = Promise.withResolvers<undefined>();
    const slow = through(store, async ({ start }) => {
      most = Math.max(most, ++underWay);
      if (underWay === 4) full.resolve(undefined);
      await full.promise; // none is answered before there are as many as there may be
      if (start === 0) await nextTick(); // and the first one last
      underWay--;
    });
    const pieces = await Array.fromAsync(readInRanges(slow, 'a/large', content.length, any));
    assert.ok(Buffer.concat(pieces).equals(content));
    assert.equal(most, 4);
  });

  test('one that fails ends the stream at its place, and the others with it', async () => {
    const failing = through(store, ({ start }) =>
      start === 5 * rangeBytes ? Promise.reject(new DormouseError('store-unavailable', 'gone')) : Promise.resolve(),
    );
    const arrived: Buffer[] = [];
    await assert.rejects(
      async () => {
        for await (const piece of readInRanges(failing, 'a/large', content.length, any)) arrived.push(piece);
      },
      { code: 'store-unavailable' },
    );
    assert.ok(Buffer.concat(arrived).equals(content.subarray(0, 5 * rangeBytes)));
  });

  test('a reader that leaves ends what is under way', async () => {
    const signals: AbortSignal[] = [];
    const watched: ObjectStore = {
      ...store,
      getRange(key, range, options) {
        if (options?.signal !== undefined) signals.push(options.signal);
        return store.getRange(key, range, options);
      },
    };
    for await (const _ of readInRanges(watched, 'a/large', content.length, any)) break;
    assert.ok(signals.length > 1);
    assert.ok(signals.every(({ aborted }) => aborted));
  });

  test('the size of the object is told before any of it is', async () => {
    const refuse = (objectBytes: number): void => {
      if (objectBytes !== 10) throw new DormouseError('snapshot-corrupt', `it has ${objectBytes} bytes`);
    };
    const read = readInRanges(store, 'a/large', 10, refuse);
    await assert.rejects(read.next(), { code: 'snapshot-corrupt', message: `it has ${content.length} bytes` });
  });
});
