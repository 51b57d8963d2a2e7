import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { median, percentile } from './percentile.ts';

suite('percentiles', () => {
  test('are the nearest rank, whatever the order of the samples', () => {
    const samples = [50, 15, 40, 20, 35];
    const expected = [15, 20, 20, 35, 50, 50];
    assert.deepEqual(
      [5, 30, 40, 50, 99, 100].map((percent) => percentile(samples, percent)),
      expected,
    );
    assert.deepEqual(samples, [50, 15, 40, 20, 35]);
  });

  test('sort as numbers', () => assert.equal(percentile([9, 10, 100], 100), 100));

  test('of 1 to 100 the n-th is n, without rounding errors', () => {
    const samples = Array.from({ length: 100 }, (_, index) => index + 1);
    for (const percent of samples) assert.equal(percentile(samples, percent), percent);
  });

  test('of one sample are that sample, of none undefined', () => {
    assert.deepEqual([percentile([7], 1), percentile([7], 99), median([])], [7, 7, undefined]);
  });

  test('refuse what is no percentage', () => {
    for (const percent of [0, -1, 101, NaN]) assert.throws(() => percentile([1], percent), RangeError);
  });
});
