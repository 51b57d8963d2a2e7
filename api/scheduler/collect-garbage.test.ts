import assert from 'node:assert/strict';
import { utimes } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, suite, test } from 'node:test';
import { objectKeys } from '../../shared/snapshot/object-keys.ts';
import { putActor, putBytes, putTemplate, sampleRevision, sampleSpec } from '../../shared/snapshot/sample-log.ts';
import { startFixture, type Fixture } from '../stand-in/fixture.ts';
import { collectGarbage } from './collect-garbage.ts';

suite('garbage collection', () => {
  let api: Fixture;
  before(async () => {
    api = await startFixture((_request, response) => response.end());
  });
  after(() => api[Symbol.asyncDispose]());

  const collect = (holder = 'me') => collectGarbage(api.parts, { holder, graceMs: 1000 }, AbortSignal.timeout(20_000));
  const age = (key: string) => utimes(path.join(fileURLToPath(api.store.description), key), 0, 0);

  test('removes old garbage once, and nothing that lives, is young, or is being prepared', async () => {
    const { store, registry } = api;
    await putTemplate(store);
    const actor = await putActor(store, 'a');
    const { parts } = await actor.commit('1.5', 100);
    const [lost, young] = [1, 2].map((attempt) => objectKeys.blob('a', actor.uid, '1.4', attempt, 'memory'));
    const second = objectKeys.goldenPart('counter', sampleRevision, 'second', 'memory');
    const underWay = objectKeys.goldenPart('slow', 'r1', 'first', 'memory');
    assert.ok(lost && young);
    for (const key of [lost, young, second, underWay]) await putBytes(store, key, 'left behind');
    for (const key of [lost, second, underWay, parts.memory.key, parts.device.key]) await age(key);
    const now = new Date().toISOString();
    const slow = { name: 'slow', revision: 'r1', spec: { ...sampleSpec, name: 'slow' }, since: now, createdAt: now };
    await registry.createTemplate({ ...slow, state: 'preparing' });

    assert.equal(await collect(), 2);
    const there = async (key: string): Promise<boolean> => (await store.head(key)) !== undefined;
    assert.deepEqual([await there(lost), await there(second)], [false, false]);
    for (const key of [young, underWay, parts.memory.key, parts.device.key]) assert.ok(await there(key), key);
    assert.equal(await collect(), 0);
    await registry.updateTemplate({ ...slow, state: 'failed' }, ['preparing']);
    assert.equal(await collect(), 1, 'a preparation that failed has left garbage');
  });
});
