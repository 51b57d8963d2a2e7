import assert from 'node:assert/strict';
import { randomBytes, type KeyObject } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, suite, test } from 'node:test';
import fc from 'fast-check';
import { openObjectStore } from '../object-store/open.ts';
import { objectKeys } from '../snapshot/object-keys.ts';
import { newEncryptionKey } from './key-ring.ts';
import { newDataKey } from './sealed-file.ts';
import { findDataKey, storeDataKey } from './stored-keys.ts';
import { unwrapKey, wrapKey } from './wrapped-key.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-keys-'));
after(() => rmSync(folder, { recursive: true }));
const store = await openObjectStore(`file://${folder}`);
const [first, second] = [newEncryptionKey('first', randomBytes(32)), newEncryptionKey('second', randomBytes(32))];
const same = (a: KeyObject, b: KeyObject): void => assert.ok(a.equals(b));

suite('wrapped keys', () => {
  test('a key opens by each ring that has one of its wraps, and the first writer of a wrap stands', async () => {
    const dataKey = newDataKey();
    assert.equal(await storeDataKey(store, first, 'a/memory', dataKey), 'created');
    assert.equal(await storeDataKey(store, first, 'a/memory', newDataKey()), 'exists');
    same(await findDataKey(store, [second, first], 'a/memory'), dataKey);
    await storeDataKey(store, second, 'a/memory', dataKey);
    same(await findDataKey(store, [second], 'a/memory'), dataKey);
  });

  test('no key, a missing key, another key of the same id, another place: each is its own error', async () => {
    const dataKey = newDataKey();
    await storeDataKey(store, first, 'b/memory', dataKey);
    await assert.rejects(findDataKey(store, [], 'b/memory'), {
      code: 'encryption-key-missing',
      message: 'b/memory is encrypted with the key first; no key is configured',
    });
    await assert.rejects(findDataKey(store, [second], 'b/memory'), {
      code: 'encryption-key-missing',
      details: { object: 'b/memory', needs: ['first'], has: ['second'] },
    });
    const impostor = newEncryptionKey('first', randomBytes(32));
    await assert.rejects(findDataKey(store, [impostor], 'b/memory'), { code: 'encryption-key-wrong' });
    await assert.rejects(findDataKey(store, [first], 'c/memory'), { code: 'snapshot-missing' });
    const wrap = await store.get(objectKeys.wrappedKey('b/memory', 'first'));
    await store.put(objectKeys.wrappedKey('d/memory', 'first'), { kind: 'bytes', bytes: wrap });
    await assert.rejects(findDataKey(store, [first], 'd/memory'), { code: 'snapshot-corrupt' });
  });

  test('a damaged or forged wrap never opens, and never as anything but a refusal of ours', () => {
    const wrap = wrapKey(first, 'e/memory', newDataKey());
    const refuses = (bytes: Uint8Array): void =>
      assert.throws(
        () => unwrapKey(first, 'e/memory', bytes),
        ({ code }: { code: string }) => code === 'snapshot-corrupt' || code === 'encryption-key-wrong',
      );
    fc.assert(fc.property(fc.uint8Array(), refuses));
    fc.assert(fc.property(fc.json(), (text) => refuses(Buffer.from(text))));
    const fields = JSON.parse(wrap.toString()) as Record<string, unknown>;
    const forged = fc.record({ name: fc.constantFrom(...Object.keys(fields)), value: fc.jsonValue() });
    fc.assert(
      fc.property(forged, ({ name, value }) => {
        fc.pre(JSON.stringify(value) !== JSON.stringify(fields[name]) && name !== 'keyId');
        refuses(Buffer.from(JSON.stringify({ ...fields, [name]: value })));
      }),
    );
  });
});
