import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { DormouseError } from '../shared/errors/dormouse-error.ts';
import { isLoopback, readConfig } from './config.ts';

const redis = { DORMOUSE_REDIS_URL: 'redis://127.0.0.1:6379' };

function fieldsOf(environment: Record<string, string>): string[] {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    assert.ok(error instanceof DormouseError && error.code === 'invalid-configuration');
    return error.errors.map(({ field }) => field);
  }
}

suite('configuration of the api', () => {
  test('a token is required when others can reach the api', () => {
    for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) {
      assert.deepEqual(fieldsOf({ ...redis, DORMOUSE_HOST: host }), [], host);
    }
    for (const host of ['0.0.0.0', '::', '10.0.0.1', 'localhost.example']) {
      assert.ok(!isLoopback(host));
      assert.deepEqual(fieldsOf({ ...redis, DORMOUSE_HOST: host }), ['DORMOUSE_TOKEN'], host);
      assert.deepEqual(fieldsOf({ ...redis, DORMOUSE_HOST: host, DORMOUSE_TOKEN: 'x'.repeat(16) }), [], host);
    }
  });

  test('Redis is required; the store is a folder of HOME unless it is given', () => {
    assert.deepEqual(fieldsOf({}), ['DORMOUSE_REDIS_URL']);
    assert.equal(readConfig({ ...redis, DORMOUSE_HOME: '/srv/d' }).storeUrl, 'file:///srv/d/store');
    assert.equal(readConfig({ ...redis, DORMOUSE_STORE: 's3://b/p' }).storeUrl, 's3://b/p');
  });
});
