import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { actorIdSchema } from './names.ts';
import { inPublicWords, nameOf, namespaceOf, qualifiedNameSchema, qualify, stretchOf } from './namespace.ts';

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
const namespace = fc.oneof(label, fc.constant('default'));

suite('namespaces', () => {
  test('a qualified name says both of its parts, and is no name by itself outside of default', () => {
    fc.assert(
      fc.property(namespace, label, (space, name) => {
        const qualified = qualify(space, name);
        assert.deepEqual([namespaceOf(qualified), nameOf(qualified)], [space, name]);
        assert.ok(qualifiedNameSchema.safeParse(qualified).success);
        assert.equal(actorIdSchema.safeParse(qualified).success, space === 'default');
      }),
    );
  });

  test('a stretch holds the names of its namespace with the prefix, and no others', () => {
    fc.assert(
      fc.property(namespace, namespace, label, fc.nat(4), (space, other, name, length) => {
        const prefix = name.slice(0, length);
        const [first, end] = stretchOf(space, prefix);
        const isIn = (qualified: string): boolean => qualified >= first && qualified < end;
        assert.ok(isIn(qualify(space, name)));
        assert.equal(isIn(qualify(other, name)), other === space);
        const [all, last] = stretchOf(undefined);
        assert.ok(all <= first && end <= last);
      }),
    );
  });

  test('what is no qualified name is refused', () => {
    for (const text of ['', '-a', '-.a', '-a.', '-a.b.c', 'a.b', '--a.b', '-a-.b', '-A.b', '..', '-a./b']) {
      assert.ok(!qualifiedNameSchema.safeParse(text).success, text);
    }
  });

  test('texts lose what qualifies their names, and nothing else', () => {
    assert.equal(inPublicWords('no actor -red.alice, nor -blue.bob', 'red'), 'no actor alice, nor -blue.bob');
    assert.equal(inPublicWords('dark-red.alice --red.txt -red.', 'red'), 'dark-red.alice --red.txt -red.');
    assert.equal(inPublicWords('-default.x', 'default'), '-default.x');
  });
});
