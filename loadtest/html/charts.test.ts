import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { lineChart } from './line-chart.ts';
import { words } from './markup.ts';
import { thinned } from './result-figures.ts';
import { rowChart } from './row-chart.ts';
import { scaleOf, tickText } from './scale.ts';

suite('scales', () => {
  test('have round ticks around all values, few enough to be read', () => {
    assert.deepEqual(scaleOf('linear', 0, 97, 100).ticks, [0, 20, 40, 60, 80, 100]);
    assert.deepEqual(scaleOf('log', 3, 90, 100).ticks, [2, 5, 10, 20, 50, 100]);
    assert.deepEqual(scaleOf('log', 0.5, 20_000, 100).ticks, [0.1, 10, 1000, 100_000]);
    for (const [from, to] of [
      [0, 0],
      [5, 5],
      [0.001, 1e9],
      [1.4e8, 1.46e8],
    ] as const) {
      for (const kind of ['linear', 'log'] as const) {
        const { ticks, place } = scaleOf(kind, from, to, 100);
        assert.ok(ticks.length >= 2 && ticks.length <= 8, `${kind} ${from} to ${to}: ${ticks.join(' ')}`);
        assert.ok(place(to) >= 0 && place(to) <= 100.001, `${kind} ${from} to ${to}: ${place(to)}`);
      }
    }
  });

  test('place in proportion, a logarithm by its powers, and what it cannot show at the start', () => {
    assert.equal(scaleOf('linear', 0, 100, 200).place(50), 100);
    const log = scaleOf('log', 1, 100, 200);
    assert.deepEqual([log.place(1), log.place(10), log.place(100), log.place(0)], [0, 100, 200, 0]);
  });

  test('write ticks short', () => {
    assert.deepEqual([1200, 0.005, 145_000_000].map(tickText), ['1,200', '0.005', '145M']);
  });
});

suite('charts', () => {
  test('draw a line through its points, in the colour of its series', () => {
    const svg = lineChart({
      x: { label: 'x', from: 0, to: 10 },
      y: { label: 'y', from: 0, to: 10 },
      lines: [
        {
          name: 'one <b>',
          color: 3,
          points: [
            [0, 0],
            [10, 10],
          ],
        },
      ],
    });
    assert.match(svg, /class="line c3"><title>one &lt;b&gt;<\/title><path d="M0\.0 \d+\.0L\d+\.0 0\.0"/);
    assert.ok(!svg.includes('NaN'));
  });

  test('without a value, or with one, are still drawings', () => {
    for (const points of [[], [[1, 5] as const]]) {
      const svg = lineChart({
        x: { label: 'x' },
        y: { label: 'y', kind: 'log' },
        lines: [{ name: 'n', color: 0, points }],
      });
      assert.ok(!svg.includes('NaN') && !svg.includes('Infinity'), svg);
    }
    const rows = rowChart({ label: 'MiB', rows: [{ label: 'none', color: 0, from: 0, to: 0 }] });
    assert.ok(!rows.includes('NaN') && !rows.includes('Infinity'), rows);
  });

  test('a long name is cut, its whole stands in the tooltip', () => {
    const label = 'a series whose name is much longer than any drawing has room for';
    const svg = rowChart({ label: 'ms', rows: [{ label, color: 0, from: 1, to: 2, text: '2 ms' }] });
    assert.match(svg, /…<\/text>/);
    assert.ok(svg.includes(`<title>${label}: 2 ms</title>`));
  });

  test('thinning keeps the slowest of each group', () => {
    const points = Array.from({ length: 6000 }, (_, index) => [index, index === 4321 ? 99 : 1] as const);
    const kept = thinned(points);
    assert.ok(kept.length <= 1500);
    assert.ok(kept.some(([at, slow]) => at === 4321 && slow === 99));
  });

  test('nothing from outside is markup', () =>
    assert.equal(words(`<a b="c">&'`), '&lt;a b=&quot;c&quot;&gt;&amp;&#39;'));
});
