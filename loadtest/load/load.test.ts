import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { kneeOf, ladderRates, overload } from './knee.ts';
import { openLoop } from './open-loop.ts';
import { seededRandom } from './random.ts';
import { burst, poisson, poissonCount, staggered } from './schedule.ts';
import { zipf } from './zipf.ts';

suite('schedules', () => {
  test('a burst is at once, a stagger a fixed time apart', () => {
    assert.deepEqual(burst(3), [0, 0, 0]);
    assert.deepEqual(staggered(3, 200), [0, 200, 400]);
  });

  test('Poisson arrivals keep their rate, are irregular as independent callers are, and repeat with the seed', () => {
    const times = poisson(100, 100_000, seededRandom(1));
    assert.ok(Math.abs(times.length - 10_000) < 300, String(times.length));
    const gaps = times.map((at, index) => at - (times[index - 1] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    // Of an exponential distribution the deviation equals the mean.
    assert.ok(Math.abs(Math.sqrt(variance) / mean - 1) < 0.05, `deviation ${Math.sqrt(variance)}, mean ${mean}`);
    assert.deepEqual(poisson(100, 1000, seededRandom(7)), poisson(100, 1000, seededRandom(7)));
    assert.notDeepEqual(poisson(100, 1000, seededRandom(7)), poisson(100, 1000, seededRandom(8)));
  });

  test('a counted schedule has that many, in order', () => {
    const times = poissonCount(50, 20, seededRandom(1));
    assert.equal(times.length, 20);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
  });
});

suite('Zipf', () => {
  const counts = (exponent: number): number[] => {
    const draw = zipf(10, exponent, seededRandom(3));
    const drawn = Array.from({ length: 10 }, () => 0);
    for (let call = 0; call < 30_000; call++) {
      const rank = draw();
      drawn[rank] = (drawn[rank] ?? 0) + 1;
    }
    return drawn;
  };

  test('the k-th is drawn 1/k as often as the first', () => {
    const drawn = counts(1);
    for (const [rank, count] of drawn.entries()) {
      const share = (count * (rank + 1)) / (drawn[0] ?? 0);
      assert.ok(Math.abs(share - 1) < 0.15, `rank ${rank}: ${share}`);
    }
  });

  test('an exponent of 0 draws all alike', () => {
    for (const count of counts(0)) assert.ok(Math.abs(count - 3000) < 250, String(count));
  });
});

suite('the open loop', () => {
  test('does not wait for answers, and ends when all have come', async () => {
    const answers: (() => void)[] = [];
    let ended = false;
    const loop = openLoop(
      burst(5),
      new AbortController().signal,
      () => new Promise<void>((answer) => answers.push(answer)),
    );
    const end = loop.then(() => (ended = true));
    while (answers.length < 5) await new Promise(setImmediate);
    for (const answer of answers.slice(1)) answer();
    await new Promise(setImmediate);
    assert.equal(ended, false);
    answers[0]?.();
    await end;
  });

  test('a call sent late is told when it was meant to be sent', async () => {
    const lateMs: number[] = [];
    await openLoop(staggered(3, 1), new AbortController().signal, ({ intendedAt }) => {
      lateMs.push(performance.now() - intendedAt);
      if (lateMs.length === 1) while (performance.now() - intendedAt < 30); // the generator itself is held up
      return Promise.resolve();
    });
    assert.ok((lateMs[1] ?? 0) > 20 && (lateMs[2] ?? 0) > 20, String(lateMs));
  });

  test('ends with the reason of its signal, in the middle of a wait', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    const loop = openLoop([0, 600_000], abort.signal, () => {
      abort.abort(reason);
      return Promise.resolve();
    });
    await assert.rejects(loop, reason);
  });
});

suite('the knee', () => {
  const bounds = { p50BoundMs: 100 };
  const step = (ratePerS: number, facts: object = {}) => ({
    ratePerS,
    offered: 100,
    succeeded: 100,
    p50Ms: 5,
    ...facts,
  });

  test('is the step before calls fail', () => {
    const knee = kneeOf([step(10), step(20, { succeeded: 99 }), step(40, { succeeded: 98 })], bounds);
    assert.deepEqual([knee.ratePerS, knee.reached], [20, true]);
    assert.match(knee.reason, /at 40\/s 2 of 100 calls failed/);
  });

  test('is the step before the p50 passes its bound', () => {
    assert.equal(kneeOf([step(10), step(20, { p50Ms: 101 })], bounds).ratePerS, 10);
    assert.equal(overload(step(10, { p50Ms: 100 }), bounds), undefined);
  });

  test('is not reached when nothing gave way, and below the first step when that was too much', () => {
    assert.deepEqual(kneeOf([step(10), step(20)], bounds), {
      ratePerS: 20,
      reached: false,
      reason: 'nothing gave way up to the last step',
    });
    assert.equal(kneeOf([step(10, { succeeded: 0, p50Ms: undefined })], bounds).ratePerS, undefined);
  });

  test('rates grow by a factor', () => assert.deepEqual(ladderRates(5, 2, 4), [5, 10, 20, 40]));
});
