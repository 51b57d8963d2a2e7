/**
 * The three forms of a store's URL, checked as strictly as they can be without the store:
 *   file:///folder    s3://bucket[/prefix][?endpoint=URL][&region=NAME]    gs://bucket[/prefix][?endpoint=URL]
 * Every fault is `invalid-configuration` and says which part is wrong. Secrets have no place in a URL: credentials come
 * from the SDK's own sources (environment, files, the machine's identity).
 */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { DormouseError } from '../errors/dormouse-error.ts';

const bucket = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/, 'the bucket name needs 3 or more of a-z 0-9 . _ -');
const prefix = z
  .string()
  .regex(
    /^([A-Za-z0-9_=-][A-Za-z0-9._=-]*\/)*$/,
    'the prefix has segments of A-Z a-z 0-9 . _ = - that begin with no dot',
  );
const endpoint = z.url({ protocol: /^https?$/, error: 'the endpoint is not an http or https URL' });
const region = z.string().regex(/^[a-z0-9-]+$/, 'the region is not a name of a-z 0-9 -');

const fileUrl = z.strictObject({
  scheme: z.literal('file'),
  folder: z.string().regex(/^\/./, 'the folder is not an absolute path, as in file:///var/lib/dormouse'),
});
const s3Url = z.strictObject({
  scheme: z.literal('s3'),
  bucket,
  prefix,
  endpoint: endpoint.optional(),
  region: region.optional(),
});
const gcsUrl = z.strictObject({ scheme: z.literal('gs'), bucket, prefix, endpoint: endpoint.optional() });
const storeUrlSchema = z.discriminatedUnion('scheme', [fileUrl, s3Url, gcsUrl], {
  error: 'the scheme is none of file:// s3:// gs://',
});

export type StoreUrl = z.infer<typeof storeUrlSchema>;
export type S3Url = z.infer<typeof s3Url>;
export type GcsUrl = z.infer<typeof gcsUrl>;
export type FileUrl = z.infer<typeof fileUrl>;

export function parseStoreUrl(text: string): StoreUrl {
  if (!URL.canParse(text)) throw invalid(text, ['it is not a URL, as in file:///var/lib/dormouse or s3://bucket']);
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    throw invalid(`${url.protocol}//…`, ['it holds credentials; give them to the SDK instead (environment, files)']);
  }
  const parsed = storeUrlSchema.safeParse(url.protocol === 'file:' ? fileParts(url, text) : bucketParts(url, text));
  if (!parsed.success) throw invalid(text, parsed.error.issues.map(issueWords));
  return parsed.data;
}

function fileParts(url: URL, text: string): Record<string, unknown> {
  if (url.host !== '') throw invalid(text, [`a file URL has three slashes; ${url.host} was read as a host`]);
  return { scheme: 'file', folder: pathOf(url, text), ...parameters(url, text) };
}

function pathOf(url: URL, text: string): string {
  try {
    return fileURLToPath(new URL(url.pathname, 'file:///'));
  } catch {
    throw invalid(text, ['its path is not one of this system']);
  }
}

function bucketParts(url: URL, text: string): Record<string, unknown> {
  const trimmed = url.pathname.replace(/^\/+|\/+$/g, '');
  return {
    scheme: url.protocol.slice(0, -1),
    bucket: url.hostname,
    prefix: trimmed === '' ? '' : `${trimmed}/`,
    ...parameters(url, text),
  };
}

/** Parameters may not name a part of the URL's own, nor come twice: the last one would win silently. */
function parameters(url: URL, text: string): Record<string, string> {
  const names = [...url.searchParams.keys()];
  const wrong = names.filter((name, at) => !['endpoint', 'region'].includes(name) || names.indexOf(name) !== at);
  if (url.hash !== '') wrong.push(url.hash);
  if (wrong.length > 0)
    throw invalid(
      text,
      wrong.map((name) => `parameter ${name} is unknown or repeated`),
    );
  return Object.fromEntries(url.searchParams);
}

const issueWords = (issue: z.core.$ZodIssue): string =>
  issue.code === 'unrecognized_keys' ? `parameter ${issue.keys.join(', ')} has no meaning here` : issue.message;

function invalid(text: string, words: string[]): DormouseError {
  return new DormouseError('invalid-configuration', `the store URL ${text} is not valid: ${words.join('; ')}`);
}
