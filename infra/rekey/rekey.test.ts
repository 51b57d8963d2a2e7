import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { newEncryptionKey } from '../../shared/encryption/key-ring.ts';
import { newDataKey } from '../../shared/encryption/sealed-file.ts';
import { findDataKey, storeDataKey } from '../../shared/encryption/stored-keys.ts';
import { openObjectStore } from '../../shared/object-store/open.ts';
import { objectKeys } from '../../shared/snapshot/object-keys.ts';
import { rekeyStore } from './rekey.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-rekey-'));
after(() => rmSync(folder, { recursive: true }));
const store = await openObjectStore(`file://${folder}`);
const [older, old, fresh] = ['older', 'old', 'fresh'].map((id) => newEncryptionKey(id, randomBytes(32))) as [
  ReturnType<typeof newEncryptionKey>,
  ReturnType<typeof newEncryptionKey>,
  ReturnType<typeof newEncryptionKey>,
];
const wraps = async (): Promise<string[]> =>
  (await Array.fromAsync(store.list(''))).map(({ key }) => key).filter((key) => key.includes('.keys/'));
const putObject = (key: string): Promise<void> => store.put(key, { kind: 'bytes', bytes: Buffer.from('sealed') });

test('every data key comes under the first key alone; what does not open is named and kept', async () => {
  const log = objectKeys.actorLog('a', randomUUID(), '1.1', 1);
  const keys = { 'actors/a/memory': newDataKey(), [log]: newDataKey(), 'templates/t/device': newDataKey() };
  for (const [objectKey, dataKey] of Object.entries(keys)) await storeDataKey(store, old, objectKey, dataKey);
  await storeDataKey(store, older, 'actors/lost/memory', newDataKey());
  for (const objectKey of [...Object.keys(keys), 'actors/lost/memory']) await putObject(objectKey);

  const expected = { objects: 3, failed: [/actors\/lost\/memory is encrypted with the key older/] };
  for (const alreadyDone of [0, 3]) {
    const report = await rekeyStore(store, [fresh, old]);
    assert.deepEqual([report.objects, report.alreadyDone, report.failed.length], [expected.objects, alreadyDone, 1]);
    assert.match(report.failed[0]?.reason ?? '', expected.failed[0] ?? /^$/);
  }
  assert.deepEqual(await wraps(), [
    `${log}.keys/fresh`,
    'actors/a/memory.keys/fresh',
    'actors/lost/memory.keys/older',
    'templates/t/device.keys/fresh',
  ]);
  for (const [objectKey, dataKey] of Object.entries(keys)) {
    assert.ok((await findDataKey(store, [fresh], objectKey)).equals(dataKey));
  }
});

test('a run that was cut off between the new wrap and the removal of the old one is finished by the next', async () => {
  const dataKey = newDataKey();
  await storeDataKey(store, old, 'actors/b/memory', dataKey);
  await storeDataKey(store, fresh, 'actors/b/memory', dataKey);
  await rekeyStore(store, [fresh]);
  assert.deepEqual(
    (await wraps()).filter((key) => key.startsWith('actors/b/')),
    ['actors/b/memory.keys/fresh'],
  );
});

test('a new wrap that does not open keeps the old one in place', async () => {
  await putObject('actors/c/memory');
  await storeDataKey(store, old, 'actors/c/memory', newDataKey());
  await storeDataKey(store, newEncryptionKey('fresh', randomBytes(32)), 'actors/c/memory', newDataKey());
  const { failed } = await rekeyStore(store, [fresh, old]);
  assert.ok(failed.some(({ objectKey }) => objectKey === 'actors/c/memory'));
  assert.ok((await wraps()).includes('actors/c/memory.keys/old'));
});

test('what goes while it runs is no failure', async () => {
  await storeDataKey(store, old, 'actors/going/memory', newDataKey());
  await putObject('actors/going/memory');
  const going = {
    ...store,
    async *list(...given: Parameters<typeof store.list>) {
      const listed = await Array.fromAsync(store.list(...given));
      for (const key of ['actors/going/memory', 'actors/going/memory.keys/old']) await store.delete(key);
      yield* listed;
    },
  };
  const { failed } = await rekeyStore(going, [fresh, old]);
  assert.ok(failed.every(({ objectKey }) => objectKey !== 'actors/going/memory'));
});

test('without a key to wrap with nothing happens', async () => {
  await assert.rejects(rekeyStore(store, []), { code: 'invalid-configuration' });
});
