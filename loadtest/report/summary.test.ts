import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Sample } from '../sample.ts';
import { ratioOf, summarize } from './summary.ts';

const sample = (facts: Partial<Sample>): Sample => ({
  series: 'warm',
  round: 0,
  actor: 'a',
  at: '2030-01-01T00:00:00.000Z',
  ok: true,
  start: 'warm',
  phases: {},
  ...facts,
});
const warm = { name: 'warm', expects: 'warm' } as const;

suite('the summary of a series', () => {
  test('counts failures and other starts apart, and keeps both out of the figures', () => {
    const summary = summarize(warm, [
      sample({ latencyMs: 10 }),
      sample({ latencyMs: 30 }),
      sample({ latencyMs: 1, start: 'hot' }),
      sample({ latencyMs: 9000, ok: false }),
      sample({ ok: false }),
      sample({ series: 'hot', start: 'hot', latencyMs: 2 }),
    ]);
    assert.deepEqual(
      [summary.calls, summary.succeeded, summary.otherStart, summary.counted, summary.successRate],
      [5, 3, 1, 2, 0.6],
    );
    assert.deepEqual(summary.latencyMs, { p50: 10, p90: 30, p95: 30, p99: 30, max: 30 });
  });

  test('an answer that names no start is not taken for the expected one', () => {
    const { start: _, ...silent } = sample({ latencyMs: 5 });
    const summary = summarize(warm, [silent]);
    assert.deepEqual([summary.otherStart, summary.counted], [1, 0]);
  });

  test('phases: medians in the order of the server, the rest of the latency outside, the largest dominates', () => {
    const summary = summarize(warm, [
      sample({ latencyMs: 100, phases: { queue: 1, load: 50, total: 90 } }),
      sample({ latencyMs: 120, phases: { queue: 3, load: 70, total: 118 } }),
      sample({ latencyMs: 110, phases: { queue: 2, load: 60, total: 105 } }),
    ]);
    assert.deepEqual(Object.entries(summary.phasesP50Ms), [
      ['queue', 2],
      ['load', 60],
      ['total', 105],
      ['outside', 5],
    ]);
    assert.deepEqual(summary.dominating, { phase: 'load', p50Ms: 60, share: 60 / 110 });
  });

  test('without a counted call there are no figures', () => {
    const summary = summarize(warm, []);
    assert.deepEqual(
      [summary.successRate, summary.latencyMs.p50, summary.dominating],
      [undefined, undefined, undefined],
    );
  });

  test('a ratio is that of the medians, and undefined when one is missing', () => {
    const summaries = [
      summarize(warm, [sample({ latencyMs: 20 })]),
      summarize({ name: 'hot', expects: 'hot' }, [sample({ series: 'hot', start: 'hot', latencyMs: 5 })]),
    ];
    assert.equal(ratioOf(summaries, 'warm', 'hot').value, 4);
    assert.equal(ratioOf(summaries, 'cold', 'warm').value, undefined);
  });
});
