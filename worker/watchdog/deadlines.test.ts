import assert from 'node:assert/strict';
import { test } from 'node:test';
import { demandAt } from './deadlines.ts';

test('nothing, then freeze, then end, each at its instant and until a newer order comes', () => {
  assert.deepEqual(demandAt(undefined, 1e9), { act: 'nothing', lookInMs: undefined });
  const order = { seq: 1, freezeAtMs: 1000, endAtMs: 1500 };
  assert.deepEqual(demandAt(order, 400), { act: 'nothing', lookInMs: 600 });
  assert.equal(demandAt(order, 999.9).act, 'nothing');
  assert.deepEqual(demandAt(order, 1000), { act: 'freeze', lookInMs: 200 });
  assert.deepEqual(demandAt(order, 1450), { act: 'freeze', lookInMs: 50 }, 'never later than the end');
  assert.equal(demandAt(order, 1500).act, 'end');
  assert.equal(demandAt(order, 1e9).lookInMs, 200, 'it goes on until there is nobody left');
});
