import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { Redis } from 'ioredis';
import { startFixture, until, type Fixture } from '../stand-in/fixture.ts';

suite('calls to an actor that was called before', () => {
  let api: Fixture;
  let redis: Redis;

  before(async () => {
    api = await startFixture((request, response) => void request.pipe(response), { slots: 100 });
    redis = new Redis(api.redisUrl);
  });
  after(async () => {
    redis.disconnect();
    await api[Symbol.asyncDispose]();
  });

  const invoke = (id: string, body?: unknown) => api.call('POST', `/v1/actors/${id}/invoke/x`, { body });

  /** Every command about our own records while the work is done; the stand-in's queue is not the api's. */
  async function commandsDuring(work: () => Promise<void>): Promise<string[][]> {
    const monitor = await redis.monitor();
    using _end = { [Symbol.dispose]: () => monitor.disconnect() };
    const seen: string[][] = [];
    monitor.on('monitor', (_time: string, command: string[]) => seen.push(command));
    await work();
    await redis.echo('the end');
    await until(() => seen.some((command) => command.includes('the end')));
    return seen.filter((command) => command.some((word) => word.startsWith('{dm}:')));
  }

  test('ask Redis nothing, with a body or without', async () => {
    await api.sleeping('hot');
    assert.equal((await invoke('hot')).status, 200);
    const lookAtIt = async (): Promise<void> => {
      await api.registry.getActor('hot');
    };
    assert.ok((await commandsDuring(lookAtIt)).length > 0, 'it sees them');
    const commands = await commandsDuring(async () => {
      for (let count = 0; count < 50; count++) {
        const answer = await invoke('hot', count % 2 === 0 ? undefined : { count });
        assert.deepEqual([answer.status, answer.headers['dormouse-start']], [200, 'hot']);
      }
    });
    assert.deepEqual(commands, []);
  });

  test('that has a new activation which nobody announced are served by it, their bodies whole', async () => {
    await api.sleeping('moved');
    assert.equal((await invoke('moved')).status, 200);
    const refusals = api.node.refusals.length;
    api.node.held.set('moved', '1.999999');
    await redis.hset('{dm}:actor:moved', 'epoch', JSON.stringify('1.999999'));
    const answer = await invoke('moved', { n: 1 });
    assert.deepEqual([answer.status, answer.headers['dormouse-epoch'], answer.text], [200, '1.999999', '{"n":1}']);
    assert.deepEqual(api.node.refusals.slice(refusals), ['stale-epoch']);
    await invoke('moved');
    assert.equal(api.node.refusals.length, refusals + 1, 'the new route is remembered');
  });

  test('that has gone to sleep wake it, and one that was made anew under its name is served', async () => {
    await api.sleeping('again');
    const first = await invoke('again');
    await api.call('POST', '/v1/actors/again/suspend', { headers: { prefer: 'wait=10' } });
    const second = await invoke('again');
    assert.deepEqual([second.status, second.headers['dormouse-start']], [200, 'warm']);
    assert.notEqual(second.headers['dormouse-epoch'], first.headers['dormouse-epoch']);
    await api.call('DELETE', '/v1/actors/again', { headers: { prefer: 'wait=10' } });
    await until(async () => (await api.registry.getActor('again')) === undefined);
    assert.equal((await invoke('again')).body['code'], 'actor-not-found');
    await api.call('POST', '/v1/actors', { body: { id: 'again', template: 't-again' } });
    const third = await invoke('again');
    assert.deepEqual([third.status, third.headers['dormouse-start']], [200, 'warm']);
  });
});
