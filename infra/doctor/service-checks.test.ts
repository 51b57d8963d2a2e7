import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { until } from '../../shared/process/until.ts';
import { startCluster, startSingle } from '../../shared/registry/redis/local-redis.ts';
import { checkRedis } from './service-checks.ts';

suite('the check of Redis', () => {
  test('a Redis that is given by its socket answers', async () => {
    await using redis = await startSingle();
    await until(async () => (await checkRedis(redis.url)).verdict === 'ok', {
      signal: AbortSignal.timeout(10_000),
      everyMs: 50,
      what: 'Redis to answer',
    });
  });

  test('a cluster answers', async () => {
    await using cluster = await startCluster();
    assert.equal((await checkRedis(cluster.url)).verdict, 'ok');
  });

  for (const [url, words] of [
    ['redis://127.0.0.1:1', /ECONNREFUSED/],
    ['redis+unix:///none/redis.sock', /ENOENT \/none\/redis\.sock/],
    ['redis+cluster://127.0.0.1:1', /slots/],
  ] as const) {
    test(`${url} is to be mended`, async () => {
      const { verdict, says } = await checkRedis(url);
      assert.equal(verdict, 'mend');
      assert.match(says, words);
    });
  }
});
