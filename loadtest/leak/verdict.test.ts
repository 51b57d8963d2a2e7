import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { compareCounts, hasGrown, memoryTrend, theilSen, type MemoryPoint } from './verdict.ts';

const everySecond = (seconds: number, mib: (second: number) => number): MemoryPoint[] =>
  Array.from({ length: seconds }, (_, second) => [second, mib(second)]);

suite('the leak check', () => {
  test('one process, mount or key more is growth; a few descriptors are not, many are', () => {
    const before = { processes: 5, descriptors: 100, mounts: 3 };
    const grown = (after: Record<string, number>) =>
      compareCounts(before, { ...before, ...after }).flatMap(({ name, grew }) => (grew ? [name] : []));
    assert.deepEqual(grown({}), []);
    assert.deepEqual(grown({ processes: 4, descriptors: 116 }), []);
    assert.deepEqual(grown({ processes: 6, descriptors: 117, mounts: 4 }), ['processes', 'descriptors', 'mounts']);
  });

  test('memory that rises steadily is growth, however it jumps about', () => {
    const saw = (second: number): number => 100 + (second % 10) * 6;
    const steady = memoryTrend('api', everySecond(300, saw));
    const leaking = memoryTrend(
      'api',
      everySecond(300, (second) => saw(second) + second * 0.5),
    );
    assert.deepEqual([steady.grew, leaking.grew], [false, true]);
    assert.ok(Math.abs(leaking.slopeMiBPerMinute - 30) < 3, String(leaking.slopeMiBPerMinute));
  });

  test('one peak does not turn the slope', () => {
    const points = everySecond(60, (second) => (second === 59 ? 1000 : 100));
    assert.equal(theilSen(points), 0);
    assert.equal(theilSen([]), 0);
  });

  test('either is a verdict', () => {
    const fine = { cycles: 1, seconds: 1, counts: [], memory: [], sources: [] };
    const [process] = compareCounts({ processes: 1 }, { processes: 2 });
    assert.ok(process);
    assert.deepEqual([hasGrown(fine), hasGrown({ ...fine, counts: [process] })], [false, true]);
  });
});
