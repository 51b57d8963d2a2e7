/** The Google Cloud Storage driver against fake-gcs-server, and the server against what the driver relies on. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { bytes, conformance, MiB, testLimits } from '../../shared/object-store/conformance.ts';
import { networkConformance } from '../../shared/object-store/conformance-network.ts';
import { startFaultProxy } from '../../shared/object-store/fault-proxy.ts';
import { openObjectStore } from '../../shared/object-store/open.ts';
import { startFakeGcsServer } from './fake-gcs-server.ts';

const dir = await mkdtemp(path.join(tmpdir(), 'dormouse-gcs-'));
const server = await startFakeGcsServer({ dir, buckets: ['main', 'network'] });
after(async () => {
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});

conformance({
  name: 'gcs, fake-gcs-server',
  open: () => openObjectStore(server.storeUrl('main', 'some/prefix'), { limits: testLimits }),
  openMisplaced: () => openObjectStore(server.storeUrl('no-such-bucket'), { limits: testLimits }),
});

networkConformance({
  name: 'gcs, fake-gcs-server',
  endpoint: server.endpoint,
  openAt: (endpoint, limits) => openObjectStore(`gs://network?endpoint=${encodeURIComponent(endpoint)}`, { limits }),
  isCommit: ({ method, url = '', headers }) =>
    (method === 'POST' && url.includes('uploadType=multipart')) ||
    // The last piece of a resumable upload is the one that knows the whole size.
    (method === 'PUT' && /\/\d+$/.test(headers['content-range'] ?? '')),
  isDownload: ({ method, url = '' }) => method === 'GET' && url.includes('alt=media'),
  isListing: ({ method, url = '' }) => method === 'GET' && /\/o\?/.test(url),
});

test('only uploads are fenced: create sends the precondition with every upload, and nothing else sends one', async () => {
  await using proxy = await startFaultProxy(server.endpoint);
  const store = await openObjectStore(`gs://network?endpoint=${encodeURIComponent(proxy.endpoint)}`, {
    limits: testLimits,
  });
  const seen: { readonly method: string; readonly url: string }[] = [];
  const watch = (): void =>
    proxy.breakNext(1, { kind: 'hang' }, ({ method = '', url = '' }) => {
      seen.push({ method, url });
      return false;
    });
  const conditions = async (work: () => Promise<unknown>): Promise<{ beginsUpload: boolean; fenced: boolean }[]> => {
    seen.length = 0;
    await work();
    assert.ok(seen.length > 0);
    return seen.map(({ method, url }) => ({
      beginsUpload: method === 'POST' && url.includes('/upload/'),
      fenced: /[?&]ifGenerationMatch=0(&|$)/.test(url),
    }));
  };
  watch();
  for (const size of [100, 2 * MiB]) {
    const key = `fence/${size}`;
    const outcomes = ['created', 'exists'];
    for (const outcome of outcomes) {
      const requests = await conditions(async () =>
        assert.equal(await store.create(key, bytes(Buffer.alloc(size))), outcome),
      );
      const uploads = requests.filter(({ beginsUpload }) => beginsUpload);
      assert.ok(uploads.length > 0 && uploads.every(({ fenced }) => fenced), `${size} bytes, ${outcome}`);
    }
    for (const unfenced of [
      () => store.put(key, bytes(Buffer.alloc(size))),
      () => store.head(key),
      () => store.delete(key),
    ]) {
      assert.ok((await conditions(unfenced)).every(({ fenced }) => !fenced));
    }
    assert.equal(await store.create(key, bytes('again')), 'created', 'a deletion needs no condition to free the key');
  }
});
