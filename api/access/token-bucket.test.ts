import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { createBucket } from './token-bucket.ts';

suite('a token bucket', () => {
  test('gives out its burst, then what flows in, and says how long to wait', () => {
    let at = 0;
    const bucket = createBucket({ perSecond: 2, burst: 3 }, () => at);
    assert.deepEqual(
      [1, 2, 3, 4].map(() => bucket.take()),
      [0, 0, 0, 500],
    );
    at = 400;
    assert.equal(bucket.take(), 100);
    at = 500;
    assert.deepEqual([bucket.take(), bucket.take()], [0, 500]);
    at = 60_000;
    assert.deepEqual(
      [1, 2, 3, 4].map(() => bucket.take()),
      [0, 0, 0, 500],
      'never more than its burst',
    );
  });

  test('whoever waits as long as it was told is let in, and no more than the rate ever is', () => {
    const limit = fc.record({
      perSecond: fc.double({ min: 0.01, max: 1000, noNaN: true }),
      burst: fc.integer({ min: 1, max: 50 }),
    });
    fc.assert(
      fc.property(limit, fc.array(fc.nat(5000), { maxLength: 60 }), ({ perSecond, burst }, pauses) => {
        let at = 0;
        let taken = 0;
        const bucket = createBucket({ perSecond, burst }, () => at);
        for (const pause of pauses) {
          at += pause;
          const waitMs = bucket.take();
          if (waitMs === 0) taken++;
          assert.ok(taken <= burst + (at / 1000) * perSecond + 1e-6);
          if (waitMs === 0) continue;
          at += waitMs;
          assert.equal(bucket.take(), 0);
          taken++;
        }
      }),
    );
  });
});
