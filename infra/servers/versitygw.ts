/**
 * A real S3 server for tests: versitygw on a folder, where each sub-folder is a bucket. It honours `If-None-Match: *`
 * on puts and on multipart completions, which many small S3 servers do not.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { installServer } from './install.ts';
import { startLocalServer, type LocalServer } from './local-server.ts';

export interface S3Server extends LocalServer {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** What an S3 client reads from its environment to get in. */
  readonly environment: Readonly<Record<string, string>>;
  /** `s3://…` of a bucket on this server, as the object store takes it. */
  storeUrl(bucket: string, prefix?: string): string;
}

export interface VersitygwOptions {
  /** Holds the buckets and the log; made if missing. */
  readonly dir: string;
  /** Buckets to have at the start; a name has at least 3 characters. */
  readonly buckets: readonly string[];
  readonly port?: number;
  /** Where the program is compiled to, see install.ts. */
  readonly cacheDir?: string;
}

const region = 'us-east-1';
const accessKeyId = 'dormouse-local';
const secretAccessKey = 'dormouse-local-secret';

export async function startVersitygw(options: VersitygwOptions): Promise<S3Server> {
  const program = await installServer('versitygw', options.cacheDir);
  const data = path.join(options.dir, 'buckets');
  for (const bucket of options.buckets) await mkdir(path.join(data, bucket), { recursive: true });
  const server = await startLocalServer({
    name: 'versitygw',
    dir: options.dir,
    program,
    arguments: (port) => ['--port', `127.0.0.1:${port}`, '--region', region, '--quiet', 'posix', data],
    environment: { ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey },
    ...(options.port === undefined ? {} : { port: options.port }),
  });
  const endpoint = `http://127.0.0.1:${server.port}`;
  return {
    ...server,
    ...{ endpoint, region, accessKeyId, secretAccessKey },
    environment: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    storeUrl: (bucket, prefix = '') =>
      `s3://${bucket}/${prefix}?endpoint=${encodeURIComponent(endpoint)}&region=${region}`,
  };
}
