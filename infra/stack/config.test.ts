import assert from 'node:assert/strict';
import path from 'node:path';
import { suite, test } from 'node:test';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { assetsFolder, readStackConfig } from './config.ts';

const refusedFields = (environment: Record<string, string>): string[] => {
  try {
    readStackConfig(environment);
  } catch (error) {
    assert.ok(error instanceof DormouseError);
    assert.equal(error.code, 'invalid-configuration');
    for (const { field } of error.errors) assert.match(error.message, new RegExp(field));
    return error.errors.map(({ field }) => field).sort();
  }
  return [];
};

suite('stack configuration', () => {
  test('an empty environment gives two nodes on loopback with everything below ./.dormouse', () => {
    const home = path.resolve('.dormouse');
    assert.deepEqual(readStackConfig({}), {
      home,
      host: '127.0.0.1',
      port: 7070,
      redisUrl: undefined,
      storeUrl: `file://${home}/store`,
      nodes: 2,
      assets: `${home}/assets`,
      token: undefined,
      drainMs: 30_000,
      passedOn: {},
      passedToWorkers: {},
    });
  });

  test('every wrong value and every unknown name stands in one error', () => {
    const wrong = { DORMOUSE_NODES: '0', DORMOUSE_PORT: 'http', DORMOUSE_STORE: 'ftp://x', DORMOUSE_HOEM: '/tmp' };
    assert.deepEqual(refusedFields(wrong), ['DORMOUSE_HOEM', 'DORMOUSE_NODES', 'DORMOUSE_PORT', 'DORMOUSE_STORE']);
  });

  test('an address that others can reach needs a token; loopback in any spelling does not', () => {
    assert.deepEqual(refusedFields({ DORMOUSE_HOST: '0.0.0.0' }), ['DORMOUSE_TOKEN']);
    assert.deepEqual(refusedFields({ DORMOUSE_HOST: '0.0.0.0', DORMOUSE_TOKEN: 'x'.repeat(16) }), []);
    for (const host of ['127.0.0.1', '127.8.9.1', '::1', 'localhost']) {
      assert.deepEqual(refusedFields({ DORMOUSE_HOST: host }), [], host);
    }
    assert.deepEqual(refusedFields({ DORMOUSE_HOST: '127.0.0.1.example.org' }), ['DORMOUSE_TOKEN']);
  });

  test('what api and workers read themselves is passed on as written, and nothing else', () => {
    const { passedOn } = readStackConfig({
      DORMOUSE_LOG_LEVEL: 'debug',
      DORMOUSE_LEASE_MS: '',
      DORMOUSE_NODES: '3',
      PATH: '/bin',
    });
    assert.deepEqual(passedOn, { DORMOUSE_LOG_LEVEL: 'debug' });
  });

  test('the keys of snapshots go to the workers alone, and are refused here already when they are none', () => {
    const key = `a:${Buffer.alloc(32, 1).toString('base64')}`;
    const { passedOn, passedToWorkers } = readStackConfig({ DORMOUSE_ENCRYPTION_KEYS: key });
    assert.deepEqual([passedOn, passedToWorkers], [{}, { DORMOUSE_ENCRYPTION_KEYS: key }]);
    assert.deepEqual(refusedFields({ DORMOUSE_ENCRYPTION_KEYS: 'a:b' }), ['DORMOUSE_ENCRYPTION_KEYS']);
  });

  test('assets follow DORMOUSE_HOME unless DORMOUSE_ASSETS says otherwise', () => {
    assert.equal(assetsFolder({ DORMOUSE_HOME: '/var/lib/dormouse' }), '/var/lib/dormouse/assets');
    assert.equal(assetsFolder({ DORMOUSE_HOME: '/var/lib/dormouse', DORMOUSE_ASSETS: '/srv/sets' }), '/srv/sets');
  });
});
