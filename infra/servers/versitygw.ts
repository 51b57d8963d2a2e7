/**
 * A real S3 server for tests: versitygw on a folder, where each sub-folder is a bucket. It honours `If-None-Match: *`
 * on puts and on multipart completions, which many small S3 servers do not.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { installServer } from './install.ts';
import { startLocalServer } from './local-server.ts';
import { s3Access, s3Account, type S3Server } from './s3-server.ts';

export interface VersitygwOptions {
  /** Holds the buckets and the log; made if missing. */
  readonly dir: string;
  /** Buckets to have at the start; a name has at least 3 characters. */
  readonly buckets: readonly string[];
  readonly port?: number;
  /** Where the program is compiled to, see install.ts. */
  readonly cacheDir?: string;
}

export async function startVersitygw(options: VersitygwOptions): Promise<S3Server> {
  const program = await installServer('versitygw', options.cacheDir);
  const data = path.join(options.dir, 'buckets');
  for (const bucket of options.buckets) await mkdir(path.join(data, bucket), { recursive: true });
  const server = await startLocalServer({
    name: 'versitygw',
    dir: options.dir,
    program,
    arguments: (port) => ['--port', `127.0.0.1:${port}`, '--region', s3Account.region, '--quiet', 'posix', data],
    environment: { ROOT_ACCESS_KEY: s3Account.accessKeyId, ROOT_SECRET_KEY: s3Account.secretAccessKey },
    ...(options.port === undefined ? {} : { port: options.port }),
  });
  return { ...server, ...s3Access(server.port) };
}
