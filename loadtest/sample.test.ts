import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { DormouseError } from '../shared/errors/dormouse-error.ts';
import { measureCall } from './sample.ts';
import type { Answer, Target } from './target/target.ts';

const head = { series: 's', actor: 'a' };
const signal = new AbortController().signal;
const target = (call: () => Promise<Answer>): Target => ({
  url: 'http://nowhere.invalid',
  create: () => Promise.resolve('a'),
  remove: () => Promise.resolve(),
  sleep: () => Promise.resolve({}),
  call,
});
const answering = target(() => Promise.resolve({ status: 200, start: 'hot', phases: { app: 1 } }));

suite('a measured call', () => {
  test('sent late counts from when it was meant to be sent', async () => {
    const intendedAt = performance.now() - 500;
    const {
      latencyMs = 0,
      lateMs = 0,
      at,
    } = await measureCall(head, { target: answering, path: '/', intendedAt }, signal);
    assert.ok(latencyMs >= 500 && lateMs >= 500 && latencyMs >= lateMs, `${latencyMs}, ${lateMs}`);
    assert.equal(at, new Date(performance.timeOrigin + intendedAt).toISOString());
  });

  test('sent a little early counts from then: no latency is below zero', async () => {
    const intendedAt = performance.now() + 1000;
    const { latencyMs = -1, lateMs } = await measureCall(head, { target: answering, path: '/', intendedAt }, signal);
    assert.ok(latencyMs >= 0, String(latencyMs));
    assert.equal(lateMs, 0);
  });

  test('is timed with the step before it', async () => {
    let steps = 0;
    const before = async (): Promise<void> => {
      const began = performance.now();
      while (performance.now() - began < 30) await new Promise(setImmediate);
      steps++;
    };
    const { latencyMs = 0 } = await measureCall(head, { target: answering, path: '/', before }, signal);
    assert.deepEqual([steps, latencyMs >= 30], [1, true]);
  });

  test('that is refused, or answered with an error, is a sample all the same', async () => {
    const refusing = target(() => Promise.reject(new DormouseError('no-capacity', 'full')));
    const refused = await measureCall(head, { target: refusing, path: '/' }, signal);
    assert.deepEqual([refused.ok, refused.error], [false, { code: 'no-capacity', message: 'full' }]);
    const failing = target(() => Promise.resolve({ status: 500, phases: {} }));
    const failed = await measureCall(head, { target: failing, path: '/' }, signal);
    assert.deepEqual([failed.ok, failed.status, failed.error?.code], [false, 500, 'http-500']);
  });

  test('ends with the run', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    const hanging = target(() => {
      abort.abort(reason);
      return Promise.reject(new Error('aborted'));
    });
    await assert.rejects(measureCall(head, { target: hanging, path: '/' }, abort.signal), reason);
  });
});
