/** The S3 driver against a real S3 server, and the server against what the driver relies on. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { bytes, collect, conformance, failsWith, testLimits } from '../../shared/object-store/conformance.ts';
import { networkConformance } from '../../shared/object-store/conformance-network.ts';
import { openObjectStore } from '../../shared/object-store/open.ts';
import { startVersitygw } from './versitygw.ts';

const dir = await mkdtemp(path.join(tmpdir(), 'dormouse-versitygw-'));
const server = await startVersitygw({ dir, buckets: ['main', 'second', 'network'] });
after(async () => {
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});
const options = { credentials: server, limits: testLimits };

conformance({
  name: 's3, versitygw',
  open: () => openObjectStore(server.storeUrl('main', 'some/prefix'), options),
  openMisplaced: () => openObjectStore(server.storeUrl('no-such-bucket'), options),
});

networkConformance({
  name: 's3, versitygw',
  endpoint: server.endpoint,
  openAt: (endpoint, limits) =>
    openObjectStore(`s3://network?endpoint=${encodeURIComponent(endpoint)}`, { credentials: server, limits }),
  isCommit: ({ method, url = '' }) =>
    (method === 'PUT' && !url.includes('partNumber=')) || (method === 'POST' && url.includes('uploadId=')),
  isDownload: ({ method, url = '' }) => method === 'GET' && !url.includes('list-type='),
  isListing: ({ method, url = '' }) => method === 'GET' && url.includes('list-type='),
});

test('stores of one bucket with different prefixes do not see each other', async () => {
  const outer = await openObjectStore(server.storeUrl('second'), options);
  const inner = await openObjectStore(server.storeUrl('second', 'inner'), options);
  await inner.put('a/b', bytes('x'));
  await outer.put('innermost/a', bytes('x'));
  assert.deepEqual(await collect(inner.list('')), [{ key: 'a/b', sizeBytes: 1 }]);
  assert.deepEqual(
    (await collect(outer.list(''))).map(({ key }) => key),
    ['inner/a/b', 'innermost/a'],
  );
});

test('a wrong secret and an unknown key id are refused as such, by every call', async () => {
  for (const wrong of [{ secretAccessKey: 'wrong-secret' }, { accessKeyId: 'unknown' }]) {
    const store = await openObjectStore(server.storeUrl('main'), { ...options, credentials: { ...server, ...wrong } });
    const denied = failsWith('store-denied');
    await assert.rejects(store.put('a', bytes('x')), denied);
    await assert.rejects(store.create('a', bytes('x')), denied);
    await assert.rejects(store.get('a'), denied);
    await assert.rejects(store.head('a'), denied);
    await assert.rejects(store.delete('a'), denied);
    await assert.rejects(collect(store.list('')), denied);
    await assert.rejects(store.check(), denied);
  }
});

test('the environment gives the credentials when nobody else does', async () => {
  Object.assign(process.env, server.environment);
  const store = await openObjectStore(server.storeUrl('main'), { limits: testLimits });
  await store.check();
});

test('a failed upload in parts leaves no parts behind', async () => {
  const store = await openObjectStore(server.storeUrl('main', 'parts'), options);
  const body = bytes(Buffer.alloc(2 * testLimits.partSizeBytes));
  assert.equal(await store.create('a', body), 'created');
  assert.equal(await store.create('a', body), 'exists');
  assert.deepEqual(await openUploads('main'), []);
});

/** versitygw keeps the parts of an upload in a folder of its own inside the bucket. */
async function openUploads(bucket: string): Promise<string[]> {
  const folder = path.join(dir, 'buckets', bucket, '.sgwtmp', 'multipart');
  return readdir(folder).catch(() => []);
}
