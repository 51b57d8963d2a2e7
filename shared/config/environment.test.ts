import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEnvironment } from './environment.ts';

test('a Redis is named by a URL of one of four forms; an error says which', () => {
  const read = (url: string): unknown => readEnvironment({ DORMOUSE_REDIS_URL: url }, 'DORMOUSE_REDIS_URL');
  for (const url of [
    'redis://127.0.0.1:6379',
    'rediss://me:word@redis.example:6380',
    'redis+cluster://127.0.0.1:7000,127.0.0.1:7001',
    'redis+unix:///run/redis.sock',
  ]) {
    assert.deepEqual(read(url), { DORMOUSE_REDIS_URL: url });
  }
  for (const wrong of ['http://a', '/run/redis.sock', 'redis+cluster://a', 'redis+unix://redis.sock']) {
    assert.throws(() => read(wrong), {
      code: 'invalid-configuration',
      message: /DORMOUSE_REDIS_URL: redis:.*rediss:.*redis\+cluster:.*redis\+unix:/,
    });
  }
});
