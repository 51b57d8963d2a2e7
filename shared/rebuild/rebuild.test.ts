import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, suite, test } from 'node:test';
import { execa } from 'execa';
import { Redis } from 'ioredis';
import { openRedisRegistry } from '../registry/redis/driver.ts';
import type { Registry } from '../registry/registry.ts';
import { objectKeys } from '../snapshot/object-keys.ts';
import { openSampleStore, putActor, putTemplate, sampleRevision, type SampleStore } from '../snapshot/sample-log.ts';
import { createLogger } from '../telemetry/logger.ts';
import { rebuild } from './rebuild.ts';
import type { RebuildCounts } from './rebuild-run.ts';

const log = createLogger('silent', {});

suite('rebuild from a real store into a real Redis', () => {
  let folder: string;
  let server: ReturnType<typeof startServer>;
  let registry: Registry;
  let redis: Redis;
  let sample: SampleStore;
  const startServer = (socket: string) =>
    execa(
      'setpriv',
      [
        '--pdeathsig',
        'KILL',
        '--',
        'redis-server',
        '--port',
        '0',
        '--unixsocket',
        socket,
        '--save',
        '',
        '--dir',
        folder,
      ],
      { reject: false },
    );
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dormouse-rebuild-'));
    const socket = path.join(folder, 'redis.sock');
    server = startServer(socket);
    redis = new Redis(socket, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    redis.on('error', () => undefined);
    registry = openRedisRegistry(socket, log);
    await redis.ping();
  });
  let incarnation = 0;
  beforeEach(async () => {
    await redis.flushall();
    sample = await openSampleStore();
    await registry.beginLife(++incarnation, 0);
    await putTemplate(sample.store);
  });
  afterEach(() => sample[Symbol.asyncDispose]());
  after(async () => {
    await registry.close();
    redis.disconnect();
    server.kill('SIGTERM');
    await server;
    await rm(folder, { recursive: true });
  });

  const run = (): Promise<RebuildCounts> =>
    rebuild({ registry, store: sample.store, log }, { signal: AbortSignal.timeout(20_000) });
  const nothing = { templates: 0, restored: 0, updated: 0, known: 0, busy: 0, removed: 0, damaged: 0 };

  test('everything durable is there again, and a second run changes nothing', async () => {
    const { store } = sample;
    await putActor(store, 'fresh');
    const old = await putActor(store, 'old');
    await old.commit('1.1');
    const newest = await old.commit('1.2');
    await old.fence('1.3');
    const deleted = await putActor(store, 'deleted');
    await deleted.append({ kind: 'deleted' });
    const again = await putActor(store, 'deleted', deleted.seq);
    await again.commit('1.4');
    const gone = await putActor(store, 'gone');
    await gone.append({ kind: 'deleted' });

    assert.deepEqual(await run(), { ...nothing, templates: 1, restored: 3 });
    const template = await registry.getTemplate('counter');
    assert.deepEqual([template?.state, template?.revision], ['ready', sampleRevision]);
    assert.equal(template?.descriptor?.golden.pageCount, 1);
    const record = await registry.getActor('old');
    assert.deepEqual(
      [record?.uid, record?.state, record?.generation, record?.generationSeq, record?.logSeq, record?.epoch],
      [old.uid, 'suspended', 2, 3, 4, '1.3'],
    );
    assert.deepEqual([record?.durableAt, record?.labels, record?.memoryMiB], [newest.capturedAt, { a: 'b' }, 256]);
    assert.deepEqual([record?.template, record?.sizes?.changedPages], ['counter', 1]);
    assert.deepEqual(record?.runtime, newest.runtime, 'placement knows what can load it');
    const fresh = await registry.getActor('fresh');
    assert.deepEqual([fresh?.generation, fresh?.generationSeq, fresh?.epoch], [0, 1, undefined]);
    assert.equal((await registry.getActor('deleted'))?.uid, again.uid);
    assert.equal(await registry.getActor('gone'), undefined);
    assert.deepEqual(await run(), { ...nothing, known: 3 });
  });

  test('an older copy is brought up to the store, and what was deleted since goes', async () => {
    const { store } = sample;
    const grown = await putActor(store, 'grown');
    const deleted = await putActor(store, 'deleted');
    const replaced = await putActor(store, 'replaced');
    await run();
    await grown.commit('1.1');
    await deleted.append({ kind: 'deleted' });
    await replaced.append({ kind: 'deleted' });
    const replacement = await putActor(store, 'replaced', replaced.seq);
    assert.deepEqual(await run(), { ...nothing, updated: 2, removed: 1 });
    assert.equal((await registry.getActor('grown'))?.generation, 1);
    assert.equal(await registry.getActor('deleted'), undefined);
    assert.equal((await registry.getActor('replaced'))?.uid, replacement.uid);
    await grown.append({ kind: 'deleted' });
    await replacement.append({ kind: 'deleted' });
    await store.delete(objectKeys.template('counter', sampleRevision));
    assert.deepEqual(await run(), { ...nothing, removed: 3 }, 'the template too');
    assert.equal(await registry.getTemplate('counter'), undefined);
  });

  test('one damaged log does not keep the others, and a lost log removes nothing', async () => {
    const { store } = sample;
    await putActor(store, 'good');
    await putActor(store, 'bad');
    await putActor(store, 'lost');
    await run();
    await writeFile(path.join(sample.folder, objectKeys.logEntry('bad', 1)), '{');
    await store.delete(objectKeys.logEntry('lost', 1));
    assert.deepEqual(await run(), { ...nothing, known: 1, damaged: 1 });
    assert.ok(await registry.getActor('lost'));
    await redis.flushall();
    await registry.beginLife(++incarnation, 0);
    assert.deepEqual(await run(), { ...nothing, templates: 1, restored: 1, damaged: 1 });
  });
});
