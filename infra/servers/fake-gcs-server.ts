/**
 * A Google Cloud Storage server for tests: fake-gcs-server on a folder. It honours `ifGenerationMatch=0` on simple and
 * resumable uploads; it has no authentication, and it ignores preconditions on deletions.
 */
import path from 'node:path';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { installServer } from './install.ts';
import { startLocalServer, type LocalServer } from './local-server.ts';

export interface GcsServer extends LocalServer {
  readonly endpoint: string;
  /** `gs://…` of a bucket on this server, as the object store takes it. */
  storeUrl(bucket: string, prefix?: string): string;
}

export interface FakeGcsServerOptions {
  /** Holds the objects and the log; made if missing. */
  readonly dir: string;
  /** Buckets to have at the start; a name has at least 3 characters. */
  readonly buckets: readonly string[];
  readonly port?: number;
  /** Where the program is compiled to, see install.ts. */
  readonly cacheDir?: string;
}

export async function startFakeGcsServer(options: FakeGcsServerOptions): Promise<GcsServer> {
  const program = await installServer('fake-gcs-server', options.cacheDir);
  const data = path.join(options.dir, 'objects');
  const server = await startLocalServer({
    name: 'fake-gcs-server',
    dir: options.dir,
    program,
    arguments: (port) => [
      ...['-scheme', 'http', '-host', '127.0.0.1', '-port', String(port), '-log-level', 'error'],
      ...['-backend', 'filesystem', '-filesystem-root', data],
    ],
    ...(options.port === undefined ? {} : { port: options.port }),
  });
  const endpoint = `http://127.0.0.1:${server.port}`;
  try {
    for (const bucket of options.buckets) await createBucket(endpoint, bucket);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    ...server,
    endpoint,
    storeUrl: (bucket, prefix = '') => `gs://${bucket}/${prefix}?endpoint=${encodeURIComponent(endpoint)}`,
  };
}

/** A local server answers at once; this only keeps a hung one from holding the caller. */
const createBucketTimeoutMs = 10_000;

async function createBucket(endpoint: string, name: string): Promise<void> {
  const response = await fetch(`${endpoint}/storage/v1/b?project=dormouse`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name }),
    signal: AbortSignal.timeout(createBucketTimeoutMs),
  });
  // 409: the bucket is still there from an earlier run on the same folder.
  if (response.ok || response.status === 409) return;
  throw new DormouseError('internal', `fake-gcs-server refused bucket ${name}: ${response.status}`, {
    details: { answer: await response.text() },
  });
}
