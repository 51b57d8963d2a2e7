import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { invokeUrl, queryString, segment } from './request-path.ts';

suite('request paths', () => {
  test('a segment is encoded, and what would leave the path is refused', () => {
    assert.equal(segment('a/b?c#d%'), 'a%2Fb%3Fc%23d%25');
    for (const name of ['', '.', '..']) assert.throws(() => segment(name), TypeError);
  });

  test('a query leaves out what is undefined and encodes the rest', () => {
    assert.equal(queryString({ a: 1, b: undefined, c: 'x=y&z' }), '?a=1&c=x%3Dy%26z');
    assert.equal(queryString({ a: undefined }), '');
  });

  test('an invocation keeps path and query, and a prefix of the api', () => {
    const at = (path: string) => invokeUrl('http://h:1/p', 'alice', path);
    assert.equal(at('/x/y?z=1'), 'http://h:1/p/v1/actors/alice/invoke/x/y?z=1');
    assert.equal(at('x'), 'http://h:1/p/v1/actors/alice/invoke/x');
    assert.equal(at('/'), 'http://h:1/p/v1/actors/alice/invoke/');
    assert.equal(at('//other.example/x'), 'http://h:1/p/v1/actors/alice/invoke//other.example/x');
    assert.equal(at('/a/../b'), 'http://h:1/p/v1/actors/alice/invoke/b');
  });

  test('no path leads out of the actor', () => {
    for (const path of ['/../../bob/invoke/', '/%2e%2e/', '\\..\\..\\..', '/x/../../suspend']) {
      assert.throws(() => invokeUrl('http://h:1', 'alice', path), /leads out of the actor/, path);
    }
  });
});
