import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rangeHeader, receiveRange } from './http-range.ts';

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text));
}
const range = { start: 10, length: 5 };
const receive = (contentRange: string | undefined, ...texts: string[]) =>
  receiveRange('get a', range, { contentRange, bytes: pieces(...texts) });

test('an answer is what was asked for, or all that there is of it', async () => {
  assert.equal(rangeHeader(range), 'bytes=10-14');
  assert.deepEqual(await receive('bytes 10-14/20', 'ab', 'cde'), { bytes: Buffer.from('abcde'), objectBytes: 20 });
  assert.deepEqual(await receive('bytes 10-11/12', 'ab'), { bytes: Buffer.from('ab'), objectBytes: 12 });
});

test('an answer to another question is not taken for this one', async () => {
  for (const said of [
    undefined, // all of the object
    'bytes 9-13/20',
    'bytes 10-15/20',
    'bytes 10-13/20', // less than the object has
    'bytes 10-14/14',
    'bytes 10-14/*',
    'bytes 10-9/10',
    'items 10-14/20',
  ]) {
    await assert.rejects(receive(said, 'abcde'), { code: 'store-misconfigured' }, said);
  }
  await assert.rejects(receive('bytes 10-14/20', 'abc', 'def'), { code: 'store-misconfigured' });
});

test('a transfer that ends early can be tried again', async () => {
  await assert.rejects(receive('bytes 10-14/20', 'abcd'), { code: 'store-unavailable', retryable: true });
});
