import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Sample } from './result.ts';
import { ratioOf, summariesOf, summarize } from './summary.ts';

const sample = (facts: Partial<Sample>): Sample => ({
  series: 'warm',
  actor: 'a',
  at: '2030-01-01T00:00:00.000Z',
  ok: true,
  start: 'warm',
  phases: {},
  ...facts,
});
/** The histogram keeps three digits. */
const rounded = (values: Readonly<Record<string, number | undefined>>): Record<string, number> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Math.round(value ?? NaN)]));
const warm = { name: 'warm', expects: 'warm' } as const;

suite('the summary of a series', () => {
  test('counts failures and other starts apart, and keeps both out of the figures', () => {
    const summary = summarize(warm, [
      sample({ latencyMs: 10 }),
      sample({ latencyMs: 30 }),
      sample({ latencyMs: 1, start: 'hot' }),
      sample({ latencyMs: 9000, ok: false }),
      sample({ ok: false }),
    ]);
    assert.deepEqual(
      [summary.calls, summary.succeeded, summary.otherStart, summary.counted, summary.successRate],
      [5, 3, 1, 2, 0.6],
    );
    assert.deepEqual(rounded(summary.latencyMs), { p50: 10, p90: 30, p95: 30, p99: 30, p999: 30, max: 30 });
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
    assert.deepEqual(Object.entries(rounded(summary.phasesP50Ms)), [
      ['queue', 2],
      ['load', 60],
      ['total', 105],
      ['outside', 5],
    ]);
    const { phase, share = 0 } = summary.dominating ?? {};
    assert.equal(phase, 'load');
    assert.ok(Math.abs(share - 60 / 110) < 0.001, String(share));
  });

  test('what only adds up others dominates nothing, nor does a phase that few calls have', () => {
    const hot = sample({ latencyMs: 10, phases: { app: 7, total: 8 } });
    const woken = sample({ latencyMs: 100, phases: { load: 50, running: 80, app: 9, total: 90 } });
    const mixed = summarize({ name: 'mixed' }, [hot, hot, woken]);
    assert.equal(mixed.dominating?.phase, 'app');
    assert.ok('load' in mixed.phasesP50Ms && 'running' in mixed.phasesP50Ms, 'they are reported all the same');
    assert.equal(summarize(warm, [woken]).dominating?.phase, 'load');
  });

  test('without a counted call there are no figures', () => {
    const summary = summarize(warm, []);
    assert.deepEqual(
      [summary.successRate, summary.latencyMs.p50, summary.dominating],
      [undefined, undefined, undefined],
    );
  });

  test('a series that takes any start has a row for all and one for each start; a series without calls has none', () => {
    const samples = [
      sample({ series: 'mixed', latencyMs: 100 }),
      sample({ series: 'mixed', latencyMs: 1, start: 'hot' }),
      sample({ series: 'mixed', latencyMs: 3, start: 'hot' }),
    ];
    const rows = summariesOf([{ name: 'mixed' }, warm], samples);
    assert.deepEqual(
      rows.map(({ name, counted, otherStart }) => [name, counted, otherStart]),
      [
        ['mixed', 3, 0],
        ['mixed, warm', 1, 0],
        ['mixed, hot', 2, 0],
      ],
    );
  });

  test('a ratio is that of the medians, and undefined when one is missing', () => {
    const summaries = [
      summarize(warm, [sample({ latencyMs: 20 })]),
      summarize({ name: 'hot', expects: 'hot' }, [sample({ series: 'hot', start: 'hot', latencyMs: 5 })]),
    ];
    assert.ok(Math.abs((ratioOf(summaries, 'warm', 'hot').value ?? 0) - 4) < 0.01);
    assert.equal(ratioOf(summaries, 'cold', 'warm').value, undefined);
  });
});
