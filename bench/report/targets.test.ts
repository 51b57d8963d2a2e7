import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Figure } from './report.ts';
import { targets, verdictsOf } from './targets.ts';

const figure = (name: string, median: number): Figure => ({
  ...{ name, unit: 'ms', count: 1, median, p95: median, phases: {} },
});

const running = (raw: number, platform: number): Figure[] => [
  figure('counter raw pooled wake running', raw),
  figure('counter wake running', platform),
];

suite('targets', () => {
  test('a target is judged where both figures were measured, and left out where one is missing', () => {
    const [verdict, ...more] = verdictsOf(running(10, 20), ['counter', 'node-counter']);
    assert.deepEqual(more, []);
    assert.equal(verdict?.of, 'counter wake running');
    assert.equal(verdict.ratio, 2);
    assert.equal(verdict.reached, true);
    assert.deepEqual(verdictsOf(running(10, 20).slice(1), ['counter']), []);
  });

  test('a difference and a ratio just beyond the limit are not reached', () => {
    assert.equal(verdictsOf(running(10, 20.1), ['counter'])[0]?.reached, false);
    const answers = [figure('counter raw pooled wake first answer', 100), figure('counter wake first answer', 126)];
    assert.equal(verdictsOf(answers, ['counter'])[0]?.reached, false);
  });

  test('a limit that differs by template is that of the template', () => {
    const frozen = ['counter', 'node-counter'].flatMap((template) => [
      figure(`${template} raw suspend frozen`, 50),
      figure(`${template} suspend frozen`, 60),
    ]);
    const verdicts = verdictsOf(frozen, ['counter', 'node-counter']);
    assert.deepEqual(
      verdicts.map(({ of, reached }) => [of, reached]),
      [
        ['counter suspend frozen', false],
        ['node-counter suspend frozen', true],
      ],
    );
  });

  test('a figure of the whole platform is told once', () => {
    const idle = [figure('idle CPU, no actors', 2), figure('idle CPU, sleeping actors', 2)];
    assert.equal(verdictsOf(idle, ['counter', 'node-counter']).length, 1);
  });

  test('each target has a name of its own for each figure', () => {
    const names = targets.map(({ of, to, template }) => `${of} ${to ?? ''} ${template ?? ''}`);
    assert.equal(new Set(names).size, names.length);
  });
});
