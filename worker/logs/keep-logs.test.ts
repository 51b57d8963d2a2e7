import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { newEncryptionKey, type KeyRing } from '../../shared/encryption/key-ring.ts';
import type { LogLine } from '../../shared/logs/line.ts';
import { keptBytes, listStored, readStored } from '../../shared/logs/stored.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import { openObjectStore } from '../../shared/object-store/open.ts';
import { createLogger } from '../../shared/telemetry/logger.ts';
import type { Identity } from '../sandbox/sandbox.ts';
import { keepLogs } from './keep-logs.ts';

const uid = '01234567-89ab-4cde-8f01-23456789abcd';
const identityOf = (id: string, epoch: string, generation: number): Identity => ({
  ...{ id, uid, epoch, generation, template: 't', revision: 'r', node: 'node-1' },
});
const log = createLogger('silent', {});
const at = (sequence: number, text: string, unixNanos = BigInt(Date.now()) * 1_000_000n): LogLine => ({
  ...{ sequence: BigInt(sequence), unixNanos, container: 'main', isError: false, text },
});

suite('keeping logs', () => {
  let folder: string;
  let store: ObjectStore;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dormouse-keep-'));
    store = await openObjectStore(pathToFileURL(folder).href);
  });
  after(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  const kept = async (id: string, keyRing: KeyRing = []): Promise<string[]> =>
    ((await readStored({ store, keyRing }, id, uid)) ?? []).map(({ text }) => text);

  test('what is new is written once; what the memory began with only when it is a golden', async () => {
    const first = keepLogs({ store, keyRing: [], identity: identityOf('alice', '1.1', 0), log });
    const lines = [at(1, 'from the golden', 1n), at(2, 'one')];
    first.keep(lines);
    first.keep(lines);
    await first.settled();
    assert.equal((await listStored(store, 'alice', uid)).length, 1);
    const later = keepLogs({ store, keyRing: [], identity: identityOf('alice', '1.2', 1), log });
    later.keep(lines.slice(0, 1));
    await later.settled();
    assert.equal((await listStored(store, 'alice', uid)).length, 1, 'nothing of its own');
    later.keep([...lines.slice(0, 1), at(3, 'two', BigInt(Date.now() + 1000) * 1_000_000n)]);
    await later.settled();
    assert.deepEqual(await kept('alice'), ['from the golden', 'one', 'two']);
  });

  test('old objects go, the newest stays', async () => {
    for (let counter = 1; counter <= 4; counter++) {
      const keeper = keepLogs({ store, keyRing: [], identity: identityOf('bob', `1.${counter}`, 0), log });
      // Random text hardly shrinks: each object takes about half of the bound.
      const text = randomBytes(6000).toString('base64');
      keeper.keep(Array.from({ length: 80 }, (_, index) => at(counter * 100 + index, `${index}${randomText(text)}`)));
      await keeper.settled();
    }
    const objects = await listStored(store, 'bob', uid);
    const total = objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    assert.ok(objects.length < 4 && objects.length > 0 && total <= keptBytes, `${objects.length} of ${total} bytes`);
    assert.ok(objects.at(-1)?.key.includes('/1.4-'));
  });

  test('while it runs what is new is written down piece by piece, with what was lost of a piece; then they are one', async () => {
    let isAway = false;
    const flaky = {
      ...store,
      put: (...given: Parameters<ObjectStore['put']>) =>
        isAway ? Promise.reject(new Error('no')) : store.put(...given),
    };
    const keyRing = [newEncryptionKey('k', randomBytes(32))];
    const keeper = keepLogs({ store: flaky, keyRing, identity: identityOf('dora', '1.1', 0), log });
    const lines: LogLine[] = [];
    const write = async (text: string): Promise<void> => {
      lines.push(at(lines.length + 1, text));
      keeper.flush(lines);
      await keeper.settled();
    };
    await write('one');
    keeper.flush(lines);
    isAway = true;
    await write('two');
    assert.deepEqual(await kept('dora', keyRing), ['one']);
    isAway = false;
    await write('three');
    assert.deepEqual(await kept('dora', keyRing), ['one', 'two', 'three'], 'as after a worker that was killed');
    assert.equal((await listStored(store, 'dora', uid)).length, 2);
    keeper.keep(lines);
    await keeper.settled();
    assert.deepEqual(await kept('dora', keyRing), ['one', 'two', 'three']);
    assert.equal((await listStored(store, 'dora', uid)).length, 1);
    for (let more = 0; more < 30; more++) await write(`more ${more}`);
    assert.equal((await kept('dora', keyRing)).length, 33);
    assert.ok((await listStored(store, 'dora', uid)).length <= 12, 'pieces are made one before they are many');
  });

  test('a store that refuses costs the log and nothing else', async () => {
    const broken = { ...store, put: () => Promise.reject(new Error('no')) };
    const keeper = keepLogs({ store: broken, keyRing: [], identity: identityOf('carol', '1.1', 0), log });
    keeper.keep([at(1, 'lost')]);
    await keeper.settled();
    assert.deepEqual(await kept('carol'), []);
  });
});

const randomText = (like: string): string => randomBytes(Math.floor(like.length * 0.6)).toString('base64');
