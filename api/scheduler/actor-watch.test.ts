import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { ActorRecord, Change, Started } from '../../shared/registry/records.ts';
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

test('a change causes one look for all who wait', async () => {
  const registry = standInRegistry();
  using watch = watchActors(registry);
  const { signal } = new AbortController();
  using one = watch.open('a');
  using two = watch.open('a');
  const both = Promise.all([one.next(signal), two.next(signal)]);
  registry.tell({ kind: 'actor', id: 'b', state: 'running' });
  assert.equal(registry.looks.size, 0);
  registry.tell({ kind: 'actor', id: 'a', state: 'running' });
  await both;
  assert.deepEqual([...registry.looks], [['a', 1]]);
});

suite('a start that says where', () => {
  const started: Started = {
    ...{ uid: 'u', epoch: '1.7', node: 'n' },
    lastStart: { kind: 'warm', at: '2026-01-01T00:00:00.000Z', phases: { queue: 1 } },
  };
  const { signal } = new AbortController();
  const recordOf = (fields: Partial<ActorRecord>): ActorRecord =>
    ({ id: 'a', uid: 'u', state: 'suspended', epoch: '1.6', generation: 3, ...fields }) as ActorRecord;

  /** What one who waits is given, and how often the registry was read for it. */
  async function afterStart(before: ActorRecord | undefined) {
    const registry = standInRegistry();
    using watch = watchActors(registry);
    using watching = watch.open('a');
    const next = watching.next(signal, before);
    registry.tell({ kind: 'actor', id: 'a', state: 'running', epoch: started.epoch, started });
    return { record: await next, looks: registry.looks.get('a') ?? 0 };
  }

  test('is laid over the record of whoever waits for it', async () => {
    for (const before of [
      recordOf({}),
      recordOf({ epoch: undefined }),
      recordOf({ state: 'resuming', epoch: started.epoch }),
    ]) {
      const { record, looks } = await afterStart(before);
      assert.equal(looks, 0);
      assert.deepEqual(record, { ...before, ...started, lastNode: 'n', state: 'running' });
    }
  });

  test('is looked at when it is of another life of the name, came before the record, or nobody has one', async () => {
    const others = [
      undefined,
      recordOf({ uid: 'another' }),
      recordOf({ epoch: started.epoch }),
      recordOf({ epoch: '1.10' }),
      recordOf({ epoch: '2.1' }),
    ];
    for (const before of others) assert.deepEqual(await afterStart(before), { record: undefined, looks: 1 });
  });

  test('is forgotten with the next change', async () => {
    const registry = standInRegistry();
    using watch = watchActors(registry);
    using watching = watch.open('a');
    registry.tell({ kind: 'actor', id: 'a', state: 'running', epoch: started.epoch, started });
    registry.tell({ kind: 'actor', id: 'a', state: 'suspending', epoch: started.epoch });
    assert.equal(await watching.next(signal, recordOf({})), undefined);
    assert.equal(registry.looks.get('a'), 1);
  });
});
