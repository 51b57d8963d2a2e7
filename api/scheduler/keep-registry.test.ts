import assert from 'node:assert/strict';
import { test } from 'node:test';
import { execa } from 'execa';
import { until } from '../../shared/process/until.ts';
import { startFixture } from '../stand-in/fixture.ts';
import { keepRegistryAlive } from './keep-registry.ts';

/** Far below the time after which a lead that was not given back would run out. */
const limitMs = 8000;

test('a process that has read the store back gives the lead back, so that a restart at once does not wait for it', async () => {
  await using api = await startFixture((_request, response) => response.end());
  const { registry, store, log } = api.parts;
  const { incarnation } = await registry.life();
  await execa('redis-cli', ['-s', api.redisUrl, 'del', '{dm}:run-id']); // as a Redis that was started anew
  assert.equal((await registry.life()).current, false);
  await using _keeper = keepRegistryAlive({ registry, store, log }, { holder: 'first', leaseMs: 1000 });
  const limit = { signal: AbortSignal.timeout(limitMs), everyMs: 20 };
  const isNew = async (): Promise<boolean> => {
    const life = await registry.life();
    return life.incarnation > incarnation && life.rebuilt;
  };
  await until(isNew, { ...limit, what: 'the store to be read back' });
  await until(() => registry.lead('rebuild', 'second', 1), { ...limit, what: 'the lead to be given back' });
});
