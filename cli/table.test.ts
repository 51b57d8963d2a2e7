import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { age, formatTable } from './table.ts';

suite('tables', () => {
  test('columns line up, lines carry no trailing blanks, absent cells are a dash', () => {
    const items = [
      { a: 'long name', b: 1 },
      { a: 'x', b: undefined },
    ];
    const text = formatTable(
      items,
      [
        ['A', (item) => item.a],
        ['B', (item) => item.b],
      ],
      { head: true },
    );
    assert.equal(text, 'A          B\nlong name  1\nx          -');
  });

  test('objects are shown as pairs', () => {
    assert.equal(formatTable([{ a: 'x', b: 2 }, {}], [['', (item) => item]]), 'a=x b=2\n-');
  });

  test('what a guest says cannot move the cursor or add a line', () => {
    assert.equal(formatTable(['\x1b[2Jgone\nnext\x9b'], [['', (item) => item]]), ' [2Jgone next');
  });

  test('ages are in the largest unit that says something', () => {
    const now = Date.parse('2030-01-10T00:00:00Z');
    const ages = ['2030-01-09T23:59:58Z', '2030-01-09T23:57:00Z', '2030-01-09T20:00:00Z', '2030-01-01T00:00:00Z'];
    assert.deepEqual(
      ages.map((instant) => age(instant, now)),
      ['2s', '3m', '4h', '9d'],
    );
    assert.equal(age('2030-01-11T00:00:00Z', now), '0s');
    assert.equal(age('nonsense', now), 'nonsense');
  });
});
