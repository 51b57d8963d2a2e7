import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { readStackConfig } from './config.ts';
import { apiSpec, redisSocketIn, redisSpec, workerAllocator, workerSpec } from './processes.ts';

const config = { ...readStackConfig({}), redisUrl: 'redis://127.0.0.1:1' };

suite('the processes of the stack', () => {
  test('a worker gives freed memory back, unless whoever starts the stack has another idea of that', (context) => {
    const told = (): object => workerSpec(config, 'node-1').environment;
    assert.deepEqual({ ...told(), ...workerAllocator }, told());
    assert.ok(!('MALLOC_ARENA_MAX' in apiSpec(config).environment));
    process.env['MALLOC_ARENA_MAX'] = '7';
    context.after(() => delete process.env['MALLOC_ARENA_MAX']);
    assert.deepEqual({ ...told(), ...workerAllocator, MALLOC_ARENA_MAX: '7' }, told());
  });

  test('api and workers use our own Redis by its socket, and a given one as it was given', () => {
    const socket = redisSocketIn('/a home');
    assert.equal(socket, '/a home/redis/redis.sock');
    assert.deepEqual(redisSpec('/a home', 1, socket).args.slice(-4), [
      ...['--unixsocket', '/a home/redis/redis.sock', '--unixsocketperm', '700'],
    ]);
    const ours = { ...config, redisSocket: socket };
    for (const specOf of [apiSpec, (decided: typeof config) => workerSpec(decided, 'node-1')]) {
      assert.equal(specOf(ours).environment['DORMOUSE_REDIS_URL'], 'redis+unix:///a%20home/redis/redis.sock');
      assert.equal(specOf(config).environment['DORMOUSE_REDIS_URL'], 'redis://127.0.0.1:1');
    }
  });

  test('a home whose path is too long for a socket has none', () => {
    const longest = `/${'x'.repeat(107 - '//redis/redis.sock'.length)}`;
    assert.equal(Buffer.byteLength(redisSocketIn(longest) ?? ''), 107);
    assert.equal(redisSocketIn(`${longest}x`), undefined);
    assert.equal(redisSocketIn(longest.replace('x', 'ö')), undefined, 'bytes count');
    assert.ok(!redisSpec(longest, 1).args.includes('--unixsocket'));
  });
});
