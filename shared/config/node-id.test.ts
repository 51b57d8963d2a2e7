import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nodeIdOf, nodeIdSchema } from './node-id.ts';

const accepted = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/;

test('a short label is itself', () => {
  for (const name of ['a', 'node-1', 'x'.repeat(32)]) assert.equal(nodeIdSchema.parse(name), name);
});

test('a cloud machine keeps a readable, stable name', () => {
  const id = nodeIdSchema.parse('ip-10-0-12-34.eu.compute.internal');
  assert.match(id, /^ip-10-0-12-34-eu-comput-[0-9a-f]{8}$/);
  assert.equal(nodeIdSchema.parse('ip-10-0-12-34.eu.compute.internal'), id);
});

test('every host name becomes a label, and different ones stay apart', () => {
  const part = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
  const host = fc.array(part, { minLength: 1, maxLength: 8 }).map((parts) => parts.join('.'));
  fc.assert(
    fc.property(host, host, (one, other) => {
      assert.match(nodeIdOf(one), accepted);
      assert.equal(nodeIdOf(one) === nodeIdOf(other), one === other);
    }),
  );
});

test('what is no host name is refused', () => {
  for (const name of ['', '-a', 'a-', 'A', 'a..b', 'a/b', 'a\nb', '../x', 'x'.repeat(254)]) {
    assert.equal(nodeIdSchema.safeParse(name).success, false, JSON.stringify(name));
  }
});
