/** Keys of a listing are written by whoever can write to the store: each reads as what wrote it, or as nothing. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { attemptOf, nodeOfPresence, objectKeys, sequenceOf, wrappedKeyOf } from './object-keys.ts';

const names = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
const parts = fc.constantFrom('memory' as const, 'device' as const);

suite('object keys', () => {
  test('what was written is read back', () => {
    fc.assert(
      fc.property(names, fc.uuid(), names, fc.nat(), fc.nat(), parts, (id, uid, other, number, attempt, part) => {
        assert.equal(sequenceOf(objectKeys.logEntry(id, number)), number);
        const blob = objectKeys.blob(id, uid, `1.${number}`, attempt, part);
        assert.deepEqual(attemptOf(blob), { epoch: `1.${number}`, attempt });
        assert.deepEqual(wrappedKeyOf(objectKeys.wrappedKey(blob, other)), { objectKey: blob, keyId: other });
        assert.equal(nodeOfPresence(objectKeys.node(id)), id);
        assert.ok(blob.startsWith(objectKeys.actorBlobs(id, uid)));
        for (const key of [blob, objectKeys.node(id)]) assert.equal(sequenceOf(key), undefined);
      }),
    );
  });

  test('the order of entries is the order of their keys', () => {
    fc.assert(
      fc.property(names, fc.nat(), fc.nat(), (id, a, b) => {
        const [first, second] = [objectKeys.logEntry(id, a), objectKeys.logEntry(id, b)];
        assert.equal(first < second, a < b);
      }),
    );
  });

  test('anything else is nothing, or exactly what it says', () => {
    const pieces = [
      'actors/',
      'a/',
      'log/',
      '000000000001',
      '.json',
      '/blobs/',
      '1.2-3',
      '/memory',
      '.keys/',
      'nodes/',
      '..',
      '\n',
    ];
    const keys = fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom(...pieces)).map((found) => found.join('')),
    );
    fc.assert(
      fc.property(keys, (key) => {
        const sequence = sequenceOf(key);
        if (sequence !== undefined) assert.ok(key.endsWith(`/log/${String(sequence).padStart(12, '0')}.json`));
        const attempt = attemptOf(key);
        if (attempt !== undefined) assert.match(key, new RegExp(`/blobs/${attempt.epoch}-0*${attempt.attempt}/[^/]+$`));
        const wrap = wrappedKeyOf(key);
        if (wrap !== undefined) assert.equal(objectKeys.wrappedKey(wrap.objectKey, wrap.keyId), key);
        const node = nodeOfPresence(key);
        if (node !== undefined) assert.equal(objectKeys.node(node), key);
      }),
    );
  });
});
