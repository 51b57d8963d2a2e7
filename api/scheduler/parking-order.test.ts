import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createParkingOrder } from './parking-order.ts';

const entry = (name: string, template: string, namespace = 'default') => ({ name, lane: { namespace, template } });
const names = (entries: readonly { readonly name: string }[]): string[] => entries.map(({ name }) => name);

test('lanes take turns, and who got room goes behind its equals', () => {
  const order = createParkingOrder();
  const [b1, b2, b3] = ['b1', 'b2', 'b3'].map((name) => entry(name, 'burst'));
  const lone = entry('lone', 'lone');
  assert.ok(b1 && b2 && b3);
  assert.deepEqual(names(order.of([b1, b2, b3, lone])), ['b1', 'lone', 'b2', 'b3']);
  order.served(b1.lane);
  assert.deepEqual(names(order.of([b2, b3, lone])), ['lone', 'b2', 'b3']);
  order.clear();
  assert.deepEqual(names(order.of([b2, b3, lone])), ['b2', 'lone', 'b3']);
});

test('a namespace with many lanes gets no more turns than one with one', () => {
  const order = createParkingOrder();
  const many = ['m1', 'm2', 'm3', 'm4'].map((name) => entry(name, name, 'large'));
  const few = ['f1', 'f2'].map((name) => entry(name, 'one', 'small'));
  assert.deepEqual(names(order.of([...many, ...few])), ['m1', 'f1', 'm2', 'f2', 'm3', 'm4']);
  order.served({ namespace: 'large', template: 'm1' });
  assert.deepEqual(names(order.of([...many.slice(1), ...few])), ['f1', 'm2', 'f2', 'm3', 'm4']);
});
