import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseSocketUrl, socketUrl } from './socket-url.ts';

test('a socket is named by its absolute path', () => {
  assert.equal(parseSocketUrl('redis+unix:///run/redis.sock'), '/run/redis.sock');
  assert.equal(parseSocketUrl('redis+unix:///a%20b/50%25%3F.sock'), '/a b/50%?.sock');
  assert.equal(socketUrl('/a b/50%?.sock'), 'redis+unix:///a%20b/50%25%3F.sock');
});

for (const wrong of [
  'redis:///run/redis.sock',
  'redis+unix://',
  'redis+unix:///',
  'redis+unix://redis.sock',
  'redis+unix://./redis.sock',
  'redis+unix://host/redis.sock',
  'redis+unix:/run/redis.sock',
  'redis+unix:///run/redis.sock?db=1',
  'redis+unix:///50%.sock',
  'redis+unix:///a%00b',
  '/run/redis.sock',
]) {
  test(`${wrong} is none`, () => assert.equal(parseSocketUrl(wrong), undefined));
}

test('any text is a socket or not; a path comes back as it was', () => {
  const likely = fc.string().map((text) => `redis+unix:///${text}`);
  fc.assert(fc.property(fc.oneof(fc.string(), likely), (text) => void parseSocketUrl(text)));
  const path = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !text.includes('\0'));
  fc.assert(fc.property(path, (text) => assert.equal(parseSocketUrl(socketUrl(`/${text}`)), `/${text}`)));
});
