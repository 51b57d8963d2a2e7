import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { readEnvironment } from '../config/environment.ts';
import { DormouseError } from '../errors/dormouse-error.ts';
import type { KeyRing } from './key-ring.ts';

const read = (text: string): KeyRing => {
  const values = readEnvironment({ DORMOUSE_ENCRYPTION_KEYS: text }, 'DORMOUSE_ENCRYPTION_KEYS');
  return values.DORMOUSE_ENCRYPTION_KEYS ?? [];
};
const refusal = (text: string): string => {
  try {
    read(text);
  } catch (error) {
    assert.ok(error instanceof DormouseError);
    assert.equal(error.code, 'invalid-configuration');
    return error.message;
  }
  return assert.fail(`accepted ${text}`);
};
/** At most 30 bytes of it below: never a valid key by chance. */
const base64 = fc.constantFrom(...'a b c X Y Z 0 1 9 + / ='.split(' '));
const secret = (bytes = 32): string => randomBytes(bytes).toString('base64');

suite('DORMOUSE_ENCRYPTION_KEYS', () => {
  test('the first encrypts, all are known; none is configured when it is empty', () => {
    assert.deepEqual(
      read(`new:${secret()}, old:${secret()}`).map(({ id }) => id),
      ['new', 'old'],
    );
    assert.deepEqual(read(''), []);
  });

  test('keys of one id are told apart, equal ones are not', () => {
    const [a, b] = [secret(), secret()];
    assert.equal(read(`k:${a}`)[0]?.check, read(`k:${a}`)[0]?.check);
    assert.notEqual(read(`k:${a}`)[0]?.check, read(`k:${b}`)[0]?.check);
  });

  test('what is wrong is said for each key, without the key', () => {
    const key = secret();
    assert.match(refusal(key), /key 1: not of the form id:base64/);
    assert.match(refusal(`a:${key},a:${secret()}`), /key 2: the id a comes twice/);
    assert.match(refusal(`a:${secret(31)}`), /key 1: a has 31 bytes, not 32/);
    assert.match(refusal(`a:${key.slice(0, 20)}!${key.slice(20)}`), /a is not base64/);
    assert.match(refusal(`A b:${key}`), /its id is not/);
    assert.match(refusal(`a:${key},`), /key 2: not of the form/);
  });

  test('no refusal quotes what was given, and no ring shows its keys', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 12, maxLength: 40, unit: base64 }), (text) => {
        assert.ok(!refusal(text).includes(text));
        assert.ok(!refusal(`a:${text}`).includes(text));
      }),
    );
    const key = secret();
    const ring = read(`shown:${key}`);
    const bytes = Buffer.from(key, 'base64');
    for (const shown of [inspect(ring, { depth: 9, showHidden: true }), JSON.stringify(ring)]) {
      assert.ok(!shown.includes(key) && !shown.includes(bytes.toString('hex')));
      assert.match(shown, /shown/);
    }
  });
});
