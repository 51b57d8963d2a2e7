/** The S3 driver against a second, very different server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { conformance, testLimits } from '../../shared/object-store/conformance.ts';
import { networkConformance } from '../../shared/object-store/conformance-network.ts';
import { openObjectStore } from '../../shared/object-store/open.ts';
import { startSeaweedfs } from './seaweedfs.ts';

const dir = await mkdtemp(path.join(tmpdir(), 'dormouse-weed-'));
const server = await startSeaweedfs({ dir, buckets: ['main', 'network'] });
after(async () => {
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});
const options = { credentials: server, limits: testLimits };

conformance({
  name: 's3, seaweedfs',
  // With 4.48 up to 8 of 20 completions of parts were seen to win. Of single puts, which is all that anything is fenced
  // by, exactly one does; 20 at a time keep it busy for seconds.
  shortfalls: { createInPartsMayHaveSeveralWinners: true },
  raceRounds: 2,
  open: () => openObjectStore(server.storeUrl('main', 'some/prefix'), options),
  openMisplaced: () => openObjectStore(server.storeUrl('no-such-bucket'), options),
});

networkConformance({
  name: 's3, seaweedfs',
  endpoint: server.endpoint,
  openAt: (endpoint, limits) =>
    openObjectStore(`s3://network?endpoint=${encodeURIComponent(endpoint)}`, { credentials: server, limits }),
  isCommit: ({ method, url = '' }) =>
    (method === 'PUT' && !url.includes('partNumber=')) || (method === 'POST' && url.includes('uploadId=')),
  isDownload: ({ method, url = '' }) => method === 'GET' && !url.includes('list-type='),
  isListing: ({ method, url = '' }) => method === 'GET' && url.includes('list-type='),
});
