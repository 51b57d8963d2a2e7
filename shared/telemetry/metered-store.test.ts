import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { openObjectStore } from '../object-store/open.ts';
import { meteredStore } from './metered-store.ts';
import { createMeters } from './meters.ts';

test('requests by operation and outcome, and the bytes of each direction', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-metered-'));
  try {
    const meters = createMeters('worker');
    const store = meteredStore(await openObjectStore(pathToFileURL(path.join(folder, 'store')).href), meters);
    const body = { kind: 'bytes', bytes: Buffer.alloc(100) } as const;
    const file = path.join(folder, 'file');
    await writeFile(file, Buffer.alloc(1000));
    assert.equal(await store.create('a/one', body), 'created');
    assert.equal(await store.create('a/one', body), 'exists');
    await store.put('a/two', { kind: 'file', path: file, sizeBytes: 1000 });
    assert.equal((await store.get('a/one')).length, 100);
    await store.getToFile('a/two', path.join(folder, 'copy'));
    assert.equal((await store.getRange('a/two', { start: 990, length: 100 })).bytes.length, 10);
    await assert.rejects(store.get('a/none'), { code: 'store-object-missing' });
    const listed: string[] = [];
    for await (const { key } of store.list('a/')) listed.push(key);
    assert.deepEqual(listed, ['a/one', 'a/two']);
    const lines = (await meters.text()).split('\n');
    for (const line of [
      'dormouse_store_sent_bytes_total 1100',
      'dormouse_store_received_bytes_total 1110',
      'dormouse_store_request_seconds_count{operation="create",outcome="done"} 1',
      'dormouse_store_request_seconds_count{operation="create",outcome="exists"} 1',
      'dormouse_store_request_seconds_count{operation="get",outcome="store-object-missing"} 1',
      'dormouse_store_request_seconds_count{operation="get-file",outcome="done"} 1',
      'dormouse_store_request_seconds_count{operation="get-range",outcome="done"} 1',
    ]) {
      assert.ok(lines.includes(line), line);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
