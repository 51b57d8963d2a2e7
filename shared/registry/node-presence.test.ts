import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { openObjectStore } from '../object-store/open.ts';
import { objectKeys } from '../snapshot/object-keys.ts';
import { nodePresences } from './node-presence.ts';

test('a presence of any bytes counts as a node whose boot is not known: it is waited for, and stops nobody', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-presence-'));
  const store = await openObjectStore(`file://${folder}`);
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 64 }),
          fc.json().map((text) => Buffer.from(text)),
        ),
        async (bytes) => {
          await store.put(objectKeys.node('node-1'), { kind: 'bytes', bytes: Buffer.from(bytes) });
          const found = await Array.fromAsync(nodePresences(store));
          assert.deepEqual(found, [{ nodeId: 'node-1', bootId: undefined }]);
        },
      ),
      { numRuns: 50 },
    );
  } finally {
    await store.close();
    await rm(folder, { recursive: true });
  }
});
