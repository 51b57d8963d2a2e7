import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { age, formatTable, type Column } from './table.ts';

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

  test('where it does not fit, the widest columns but the first are cut', () => {
    const items = [{ id: 'a-name-that-is-long', image: 'registry.example/team/name', reason: 'it was called' }];
    const columns: Column<(typeof items)[number]>[] = [
      ['ID', (item) => item.id],
      ['IMAGE', (item) => item.image],
      ['REASON', (item) => item.reason],
    ];
    const text = formatTable(items, columns, { head: true, width: 45 });
    assert.equal(text, 'ID                   IMAGE        REASON\na-name-that-is-long  registry.e…  it was cal…');
    assert.match(formatTable(items, columns, { width: 10 }), /^a-name-that-is-long {2}regis… {2}it wa…$/);
    const painted = formatTable(items, columns, { paint: (head, cell) => (head === 'ID' ? `<${cell}>` : cell) });
    assert.equal(painted, '<a-name-that-is-long>  registry.example/team/name  it was called');
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
