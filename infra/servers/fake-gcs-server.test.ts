/** The Google Cloud Storage driver against fake-gcs-server, and the server against what the driver relies on. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { conformance, testLimits } from '../../shared/object-store/conformance.ts';
import { networkConformance } from '../../shared/object-store/conformance-network.ts';
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
});
