/** What tests know of a real S3 server, whichever it is. */
import type { LocalServer } from './local-server.ts';

export interface S3Server extends LocalServer, S3Access {}

export interface S3Access {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** What an S3 client reads from its environment to get in. */
  readonly environment: Readonly<Record<string, string>>;
  /** `s3://…` of a bucket on this server, as the object store takes it. */
  storeUrl(bucket: string, prefix?: string): string;
}

export const s3Account = {
  region: 'us-east-1',
  accessKeyId: 'dormouse-local',
  secretAccessKey: 'dormouse-local-secret',
} as const;

export function s3Access(port: number): S3Access {
  const endpoint = `http://127.0.0.1:${port}`;
  const { region, accessKeyId, secretAccessKey } = s3Account;
  return {
    ...s3Account,
    endpoint,
    environment: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    storeUrl: (bucket, prefix = '') =>
      `s3://${bucket}/${prefix}?endpoint=${encodeURIComponent(endpoint)}&region=${region}`,
  };
}
