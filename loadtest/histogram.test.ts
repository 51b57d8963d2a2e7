import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { distributionOf } from './histogram.ts';

const oneToThousand = Array.from({ length: 1000 }, (_, index) => index + 1);
const near = (actual: number | undefined, expected: number): void =>
  assert.ok(
    actual !== undefined && Math.abs(actual / expected - 1) < 0.001,
    `${actual ?? '-'} is not about ${expected}`,
  );

suite('distributions', () => {
  test('know their percentiles to three digits, whatever the order of the values', () => {
    const { percentile } = distributionOf(oneToThousand.toReversed());
    for (const percent of [1, 50, 90, 99, 99.9]) near(percentile(percent), percent * 10);
  });

  test('never exceed what was measured, however coarse the columns', () => {
    assert.equal(distributionOf([1234.567]).percentile(100), 1234.567);
    assert.deepEqual([distributionOf([1e12]).percentile(50), distributionOf([-1]).percentile(50)], [3_600_000, 0]);
  });

  test('microseconds count', () => near(distributionOf([0.012]).percentile(50), 0.012));

  test('of nothing are nothing', () => {
    const nothing = distributionOf([]);
    assert.deepEqual([nothing.count, nothing.percentile(50), nothing.curve()], [0, undefined, []]);
  });

  test('a curve rises, ends at the largest value, and shows no finer tail than there are values', () => {
    const curve = distributionOf(oneToThousand).curve();
    assert.deepEqual(curve.at(-1), [100, 1000]);
    assert.ok(curve.every(([, ms], index) => ms >= (curve[index - 1]?.[1] ?? 0)));
    assert.deepEqual(
      curve.map(([percent]) => percent).filter((percent) => percent > 99),
      [99.5, 99.9, 100],
    );
  });
});
