import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { drawToken } from '../../shared/access/token-text.ts';
import { hasOurAuthorization } from './credentials.ts';

const root = 'secret-secret-secret';
const isRoot = (text: string): boolean => text === root;
const ours = (...values: string[]): boolean =>
  hasOurAuthorization(
    ['Host', 'a', ...values.flatMap((value) => ['authoriZation', value]), 'X', `Bearer ${root}`],
    isRoot,
  );

suite('an authorization that is ours', () => {
  test('is the root token, or looks like a token of ours, good or not', () => {
    assert.ok(ours(`Bearer ${root}`));
    assert.ok(ours(`bearer  ${root} `));
    assert.ok(ours(`Bearer ${drawToken().text}`));
    assert.ok(ours(`Bearer\t${drawToken().text}, x`));
    assert.ok(ours('Basic own', `Bearer ${root}`), 'not in the first header alone');
  });

  test('is nothing else: those are the actor’s own', () => {
    for (const value of ['', 'Bearer', 'Bearer secret', `Basic ${root}`, 'Bearer dm_own', 'Digest username="dm"']) {
      assert.ok(!ours(value), value);
    }
    fc.assert(fc.property(fc.string({ minLength: 1 }), (text) => !ours(`Bearer ${root}${text}x`)));
  });
});
