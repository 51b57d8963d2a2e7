import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { serverTiming } from '../invoke/actor-headers.ts';
import { createPendingRequests } from '../invoke/pending.ts';
import { preferredWaitMs } from './prefer.ts';
import { problemOf } from './problem.ts';

suite('http edge', () => {
  test('a problem says what, whether to retry and when', () => {
    const error = new DormouseError('too-many-pending', 'busy', { retryAfterMs: 1200, details: { a: 1 } });
    const { status, headers, body } = problemOf(error, 'r1');
    assert.equal(status, 429);
    assert.deepEqual(headers, { 'content-type': 'application/problem+json', 'retry-after': '2' });
    assert.deepEqual(
      [body['type'], body['code'], body['detail']],
      ['/errors/too-many-pending', 'too-many-pending', 'busy'],
    );
    assert.deepEqual([body['retryable'], body['retryAfterMs'], body['requestId']], [true, 1200, 'r1']);
    assert.deepEqual(body['details'], { a: 1 });
  });

  test('what is not ours keeps its words to the log', () => {
    const { body } = problemOf(new DormouseError('internal', 'password=hunter2', { details: { secret: 1 } }), 'r');
    assert.ok(!JSON.stringify(body).includes('hunter2'));
    assert.equal(body['details'], undefined);
  });

  test('Prefer: wait=N', () => {
    assert.equal(preferredWaitMs('wait=30'), 30_000);
    assert.equal(preferredWaitMs('respond-async, wait=5'), 5000);
    assert.equal(preferredWaitMs('Wait = "7"; x=y'), 7000);
    assert.equal(preferredWaitMs('wait=99999'), 180_000);
    for (const header of [undefined, '', 'await=5', 'wait=x', 'wait=-1'])
      assert.equal(preferredWaitMs(header), undefined);
  });

  test('whatever a caller prefers: a bounded wait, or none', () => {
    const headers = fc.oneof(
      fc.string(),
      fc
        .array(fc.constantFrom('wait=', 'wait', '=', '5', '999999', ' ', ',', ';', '"', 'respond-async'))
        .map((found) => found.join('')),
    );
    fc.assert(
      fc.property(headers, (header) => {
        const waitMs = preferredWaitMs(header);
        if (waitMs !== undefined) assert.ok(Number.isInteger(waitMs) && waitMs >= 0 && waitMs <= 180_000, header);
      }),
    );
  });

  test('Server-Timing keeps the order and leaves out names that would spoil it', () => {
    assert.equal(serverTiming({ queue: 1.23456, 'a b': 1, total: 10 }), 'queue;dur=1.23, total;dur=10');
  });

  test('places of waiting requests: leaving twice frees one', () => {
    const pending = createPendingRequests();
    const first = pending.enter('a', 2);
    pending.enter('a', 2);
    assert.throws(() => pending.enter('a', 2), { code: 'too-many-pending' });
    pending.enter('b', 1);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    pending.enter('a', 2);
    assert.throws(() => pending.enter('a', 2), { code: 'too-many-pending' });
  });
});
