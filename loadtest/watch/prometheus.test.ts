import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { parsePrometheus } from './prometheus.ts';

suite('Prometheus text', () => {
  test('is summed over labels; comments, buckets and what is no number are left out', () => {
    const text = [
      '# HELP wakes_total Wakes.',
      '# TYPE wakes_total counter',
      'wakes_total{kind="warm",note="a } \\" brace"} 3',
      'wakes_total{kind="cold"} 2 1700000000000',
      'memory_bytes 1.5e6',
      'wake_seconds_bucket{le="+Inf"} 5',
      'wake_seconds_sum 0.25',
      'broken NaN',
      'not a sample',
      '',
    ].join('\n');
    assert.deepEqual(parsePrometheus(text), { wakes_total: 5, memory_bytes: 1_500_000, wake_seconds_sum: 0.25 });
  });

  test('of anything else is nothing', () => assert.deepEqual(parsePrometheus('<html>'), {}));

  test('any text is read, and only numbers come out', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const value of Object.values(parsePrometheus(text))) assert.ok(Number.isFinite(value));
      }),
    );
  });
});
