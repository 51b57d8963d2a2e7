import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { readStackConfig } from './config.ts';
import { apiSpec, workerAllocator, workerSpec } from './processes.ts';

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
});
