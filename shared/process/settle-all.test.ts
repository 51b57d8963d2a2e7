import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settleAll } from './settle-all.ts';

test('all results in order', async () => {
  assert.deepEqual(await settleAll([Promise.resolve(1), 'two', undefined]), [1, 'two', undefined]);
});

test('a failure is told when everything has ended, and the first in order is', async () => {
  const slow = Promise.withResolvers<string>();
  let told = false;
  const work = settleAll([slow.promise, Promise.reject(new Error('second'))]).finally(() => (told = true));
  work.catch(() => undefined);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(told, false);
  slow.reject(new Error('first'));
  await assert.rejects(work, /first/);
});
