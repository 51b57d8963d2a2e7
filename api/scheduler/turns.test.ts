import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change } from '../../shared/registry/records.ts';
import { createTurns } from './turns.ts';

test('a wake stands behind those of its template on its node, until they are over', () => {
  let tell: (change: Change) => void = () => undefined;
  using turns = createTurns({
    watch(listener) {
      tell = listener;
      return { [Symbol.dispose]: () => undefined };
    },
  });
  const numbers = ['a', 'b', 'c'].map((id) => turns.take('node-1', 'busy', id));
  assert.deepEqual(numbers, [1, 2, 3]);
  assert.equal(turns.take('node-1', 'lone', 'd'), 1);
  assert.equal(turns.take('node-2', 'busy', 'e'), 1);
  tell({ kind: 'operation', id: 'a', state: 'done' });
  tell({ kind: 'operation', id: 'b', state: 'running' });
  tell({ kind: 'operation', id: 'c', state: 'failed' });
  tell({ kind: 'operation', id: 'unknown', state: 'done' });
  assert.equal(turns.take('node-1', 'busy', 'f'), 2);
});
