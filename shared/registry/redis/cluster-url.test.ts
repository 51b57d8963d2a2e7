import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseClusterUrl } from './cluster-url.ts';

test('a cluster is named by some of its addresses', () => {
  assert.deepEqual(parseClusterUrl('redis+cluster://a:7000,[::1]:7001'), {
    nodes: [
      { host: 'a', port: 7000 },
      { host: '::1', port: 7001 },
    ],
    tls: false,
  });
  assert.deepEqual(parseClusterUrl('rediss+cluster://me:p%40ss@10.0.0.1:1/'), {
    nodes: [{ host: '10.0.0.1', port: 1 }],
    username: 'me',
    password: 'p@ss',
    tls: true,
  });
});

for (const wrong of [
  'redis://a:1',
  'redis+cluster://',
  'redis+cluster://a',
  'redis+cluster://a:1,',
  'redis+cluster://a:99999',
]) {
  test(`${wrong} is none`, () => assert.equal(parseClusterUrl(wrong), undefined));
}

test('any text is a cluster or not; a name and a password come back as they were', () => {
  const likely = fc.string().map((text) => `redis+cluster://${text}`);
  fc.assert(fc.property(fc.oneof(fc.string(), likely), (text) => void parseClusterUrl(text)));
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (username, password) => {
      const parsed = parseClusterUrl(
        `redis+cluster://${encodeURIComponent(username)}:${encodeURIComponent(password)}@a:1`,
      );
      assert.deepEqual([parsed?.username, parsed?.password], [username, password]);
    }),
  );
  assert.equal(parseClusterUrl('redis+cluster://50%:x@a:1')?.username, '50%');
});
