import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFairGate } from './fair-gate.ts';

test('so many run at once, and the lines of those who wait take turns', async () => {
  const gate = createFairGate(2);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const run = (group: string, name: string): Promise<void> =>
    gate.run(group, () => {
      begun.push(name);
      return new Promise((resolve) => ends.set(name, resolve));
    });
  const work = ['b1', 'b2', 'b3', 'b4', 'b5'].map((name) => run('burst', name));
  work.push(run('lone', 'l1'));
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  await settled();
  assert.deepEqual(begun, ['b1', 'b2']);
  for (const name of ['b1', 'b2', 'b3', 'l1', 'b4', 'b5']) {
    ends.get(name)?.();
    await settled();
  }
  assert.deepEqual(begun, ['b1', 'b2', 'b3', 'l1', 'b4', 'b5']);
  await Promise.all(work);
});

test('work that fails gives its place back', async () => {
  const gate = createFairGate(1);
  await assert.rejects(
    gate.run('a', () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.equal(await gate.run('a', () => Promise.resolve(1)), 1);
});
