import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createFigures } from '../figures.ts';
import { verdictsOf } from '../report/targets.ts';
import { createAdditions } from './additions.ts';

const label = 'counter hot call, guest,';

suite('what the ways to an actor add', () => {
  test('is told by round, in whatever order its steps come, and of none that misses one', () => {
    const figures = createFigures();
    const additions = createAdditions(figures, label);
    additions.tell('direct', 0, 1);
    additions.tell('two hops', 0, 1.5);
    additions.tell('platform', 0, 3);
    additions.tell('platform', 1, 9); // the others failed
    additions.tell('platform', 2, 4);
    additions.tell('direct', 2, 2);
    assert.deepEqual(
      figures.summaries().map(({ count }) => count),
      [1, 1],
    );
    additions.tell('two hops', 2, 2.5);
    const told = figures.summaries().map(({ name, count, median }) => [name, count, median]);
    assert.deepEqual(told, [
      [`${label} platform adds`, 2, 2],
      [`${label} two hops add`, 2, 0.5],
    ]);
  });

  test('the target is the one beside the other', () => {
    const verdict = (platform: number): boolean | undefined => {
      const figures = createFigures();
      const additions = createAdditions(figures, label);
      additions.tell('direct', 0, 1);
      additions.tell('two hops', 0, 1.16);
      additions.tell('platform', 0, platform);
      const [only, ...more] = verdictsOf(figures.summaries(), ['counter']);
      assert.deepEqual(more, []);
      return only?.reached;
    };
    assert.equal(verdict(1.6), true);
    assert.equal(verdict(1.61), false);
  });
});
