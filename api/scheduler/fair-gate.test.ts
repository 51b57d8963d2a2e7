import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lane } from '../../shared/jobs/node-line.ts';
import { createFairGate } from './fair-gate.ts';

const laneOf = (template: string, namespace = 'default'): Lane => ({ namespace, template });

/** Runs them in this order behind a gate for two, ends each when it is named, and returns the order in which they began. */
async function orderOf(work: readonly (readonly [Lane, string])[], ended: readonly string[]): Promise<string[]> {
  const gate = createFairGate(2);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const run = ([lane, name]: readonly [Lane, string]): Promise<void> =>
    gate.run(lane, () => {
      begun.push(name);
      return new Promise((resolve) => ends.set(name, resolve));
    });
  const all = work.map(run);
  for (const name of ended) {
    await settled();
    ends.get(name)?.();
  }
  await Promise.all(all);
  return begun;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('so many run at once, and the lanes of those who wait take turns', async () => {
  const burst = ['b1', 'b2', 'b3', 'b4', 'b5'].map((name) => [laneOf('burst'), name] as const);
  const order = ['b1', 'b2', 'b3', 'l1', 'b4', 'b5'];
  assert.deepEqual(await orderOf([...burst, [laneOf('lone'), 'l1']], order), order);
});

test('a namespace with many lanes gets no more turns than one with one', async () => {
  const many = ['m1', 'm2', 'm3', 'm4', 'm5', 'm6'].map((name) => [laneOf(name, 'large'), name] as const);
  const few = ['f1', 'f2'].map((name) => [laneOf('one', 'small'), name] as const);
  const order = ['m1', 'm2', 'm3', 'f1', 'm4', 'f2', 'm5', 'm6'];
  assert.deepEqual(await orderOf([...many, ...few], order), order);
});

test('work that fails gives its place back', async () => {
  const gate = createFairGate(1);
  await assert.rejects(
    gate.run(laneOf('a'), () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.equal(await gate.run(laneOf('a'), () => Promise.resolve(1)), 1);
});
