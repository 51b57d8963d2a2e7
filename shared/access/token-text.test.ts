import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { drawToken, isSecretOf, readToken } from './token-text.ts';

suite('the text of a token', () => {
  test('is read back into its id and its secret, of which only a digest is kept', () => {
    const { id, text, secretSha256 } = drawToken();
    const read = readToken(text);
    assert.ok(read);
    assert.equal(read.id, id);
    assert.ok(isSecretOf(read.secret, secretSha256));
    assert.ok(!isSecretOf(drawToken().text.slice(-43), secretSha256));
    assert.ok(!secretSha256.includes(read.secret));
  });

  test('no two are alike', () => {
    const drawn = Array.from({ length: 200 }, drawToken);
    assert.equal(new Set(drawn.flatMap(({ id, secretSha256 }) => [id, secretSha256])).size, 400);
  });

  test('anything else is no token', () => {
    const { text } = drawToken();
    for (const wrong of ['', text.slice(1), text.slice(0, -1), `${text}A`, `${text} `, `${text}\n`]) {
      assert.equal(readToken(wrong), undefined, JSON.stringify(wrong));
    }
    fc.assert(fc.property(fc.string(), (other) => readToken(`dm_${other}`) === undefined));
  });
});
