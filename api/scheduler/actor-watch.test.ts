import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change } from '../../shared/registry/records.ts';
import { watchActors } from './actor-watch.ts';

function standInRegistry() {
  const looks = new Map<string, number>();
  let listener: (change: Change) => void = () => undefined;
  return {
    looks,
    tell: (change: Change) => listener(change),
    getActor: (id: string) => {
      looks.set(id, (looks.get(id) ?? 0) + 1);
      return Promise.resolve(undefined);
    },
    watch: (listen: (change: Change) => void) => {
      listener = listen;
      return { [Symbol.dispose]: () => undefined };
    },
  };
}

test('without a hint each is looked at, and none again before all others were', async () => {
  const registry = standInRegistry();
  using watch = watchActors(registry);
  const { looks } = registry;
  const ids = Array.from({ length: 60 }, (_, index) => `a${index}`);
  const { signal } = new AbortController();
  const wait = async (id: string): Promise<void> => {
    using watching = watch.open(id);
    for (let round = 0; round < 2; round++) {
      await watching.next(signal);
      const counts = ids.map((each) => looks.get(each) ?? 0);
      // One whose wait is over is looked at no more.
      assert.ok(Math.min(...counts) >= (looks.get(id) ?? 0) - 1, `${id}: ${counts.join()}`);
    }
  };
  await Promise.all(ids.map(wait));
});

test('a change causes one look for all who wait, the beginning of a wake none', async () => {
  const registry = standInRegistry();
  using watch = watchActors(registry);
  const { signal } = new AbortController();
  using one = watch.open('a');
  using two = watch.open('a');
  const both = Promise.all([one.next(signal), two.next(signal)]);
  registry.tell({ kind: 'actor', id: 'a', state: 'resuming' });
  registry.tell({ kind: 'actor', id: 'b', state: 'running' });
  assert.equal(registry.looks.size, 0);
  registry.tell({ kind: 'actor', id: 'a', state: 'running' });
  await both;
  assert.deepEqual([...registry.looks], [['a', 1]]);
});
