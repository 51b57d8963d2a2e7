/**
 * Google Cloud Storage. With an endpoint in the URL (a local server) no credentials are sent. The SDK takes no signals:
 * a call returns by its deadline all the same (store-call.ts), and the SDK's own retries are off, because they know
 * nothing of it; `create` looks up what became of an attempt before the next one (create-once.ts).
 *
 * Deletions carry no precondition: nothing is fenced by them, and some servers ignore it.
 */
import { IdempotencyStrategy, Storage, type Bucket, type File } from '@google-cloud/storage';
import { addAbortSignal } from 'node:stream';
import { DormouseError } from '../../errors/dormouse-error.ts';
import { checkStore } from '../check-store.ts';
import { createOnce, writerMetadataName } from '../create-once.ts';
import { assertKey, assertPrefix } from '../key.ts';
import { bodySize } from '../object-body.ts';
import type { CallOptions, ObjectBody, ObjectInfo, ObjectStore } from '../object-store.ts';
import { defaultMaxBytes, refuseLarger } from '../read-bound.ts';
import { receiveFile, type Received } from '../receive-file.ts';
import { callStore, retrying, untilAborted, type StoreCall } from '../store-call.ts';
import type { StoreLimits } from '../store-limits.ts';
import type { GcsUrl } from '../store-url.ts';
import { isRefusedCreate, statusOf, translateGcsError } from './errors.ts';
import { upload, type Upload } from './upload.ts';

export function openGcsStore(url: GcsUrl, limits: StoreLimits): ObjectStore {
  const bucket = newBucket(url, limits);
  const description = `gs://${url.bucket}/${url.prefix}${url.endpoint === undefined ? '' : ` at ${url.endpoint}`}`;
  const run = <T>(what: string, options: CallOptions | undefined, work: (call: StoreCall) => Promise<T>): Promise<T> =>
    callStore({ what: `${what} in ${description}`, limits, options, translate: translateGcsError }, work);
  const onKey = <T>(
    verb: string,
    key: string,
    options: CallOptions | undefined,
    work: (object: GcsObject, call: StoreCall) => Promise<T>,
  ): Promise<T> => {
    assertKey(key);
    const object = { bucket, limits, name: url.prefix + key, what: `${verb} ${key} in ${description}` };
    return run(`${verb} ${key}`, options, (call) => work(object, call));
  };

  const store: ObjectStore = {
    description,
    put: (key, body, options) => onKey('put', key, options, (object, call) => putObject(object, body, call)),
    create: (key, body, options) => onKey('create', key, options, (object, call) => createObject(object, body, call)),
    get: (key, options) =>
      onKey('get', key, options, (object, call) => getObject(object, options?.maxBytes ?? defaultMaxBytes, call)),
    getToFile: (key, path, options) =>
      onKey('get', key, options, (object, call) => getObjectToFile(object, path, call)),
    head: (key, options) =>
      onKey('head', key, options, async (object, call) => {
        const found = await retrying(call, () => headObject(object, call.attemptSignal(0)));
        return found === undefined ? undefined : { key, sizeBytes: found.sizeBytes };
      }),
    list: (prefix, options) => {
      assertPrefix(prefix);
      return listObjects(bucket, url.prefix, prefix, (work) => run(`list ${prefix}`, options, work));
    },
    delete: (key, options) => onKey('delete', key, options, deleteObject),
    check: (options) => checkStore(store, options),
    close: () => Promise.resolve(),
  };
  return store;
}

function newBucket(url: GcsUrl, limits: StoreLimits): Bucket {
  const storage = new Storage({
    ...(url.endpoint === undefined ? {} : { apiEndpoint: url.endpoint }),
    timeout: limits.callTimeoutMs,
    retryOptions: { autoRetry: false, idempotencyStrategy: IdempotencyStrategy.RetryNever },
  });
  return storage.bucket(url.bucket);
}

interface GcsObject {
  readonly bucket: Bucket;
  readonly limits: StoreLimits;
  /** With the prefix. */
  readonly name: string;
  readonly what: string;
}

/** A new one each time: the SDK keeps what it learned of an object in it. */
const fileOf = (object: GcsObject): File => object.bucket.file(object.name);

/** Errors are translated inside the retries, which judge by the code. */
const translated = <T>(object: { what: string }, work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    throw error instanceof DormouseError ? error : translateGcsError(error, object.what);
  });

const uploadOf = (object: GcsObject, body: ObjectBody): Upload => ({
  file: fileOf(object),
  body,
  partSizeBytes: object.limits.partSizeBytes,
});

async function putObject(object: GcsObject, body: ObjectBody, call: StoreCall): Promise<void> {
  const sizeBytes = bodySize(body);
  call.allowFor(sizeBytes);
  await retrying(call, () => translated(object, upload(uploadOf(object, body), call.attemptSignal(sizeBytes))));
}

async function createObject(object: GcsObject, body: ObjectBody, call: StoreCall): Promise<'created' | 'exists'> {
  const sizeBytes = bodySize(body);
  call.allowFor(sizeBytes);
  return createOnce(call, sizeBytes, {
    upload: (writerId, signal) =>
      createAttempt(object, { ...uploadOf(object, body), onlyIfAbsent: { writerId } }, signal),
    readWriterId: async (signal) => (await headObject(object, signal))?.writerId,
  });
}

async function createAttempt(object: GcsObject, request: Upload, signal: AbortSignal): Promise<'accepted' | 'refused'> {
  try {
    await untilAborted(signal, upload(request, signal));
    return 'accepted';
  } catch (error) {
    if (isRefusedCreate(error)) return 'refused';
    throw error instanceof DormouseError ? error : translateGcsError(error, object.what);
  }
}

async function getObject(object: GcsObject, maxBytes: number, call: StoreCall): Promise<Buffer> {
  return retrying(call, () => translated(object, readObject(object, maxBytes, call)));
}

async function readObject(object: GcsObject, maxBytes: number, call: StoreCall): Promise<Buffer> {
  const { sizeBytes } = await existing(object, call);
  refuseLarger(object.name, sizeBytes, maxBytes);
  const chunks: Uint8Array[] = [];
  for await (const chunk of readStream(object, call)) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  refuseLarger(object.name, bytes.length, maxBytes);
  return bytes;
}

function getObjectToFile(object: GcsObject, path: string, call: StoreCall): Promise<Received> {
  return retrying(call, () => translated(object, receiveObject(object, path, call)));
}

async function receiveObject(object: GcsObject, path: string, call: StoreCall): Promise<Received> {
  const { sizeBytes } = await existing(object, call);
  return receiveFile(readStream(object, call), path, sizeBytes);
}

async function existing(object: GcsObject, call: StoreCall): Promise<{ sizeBytes: number }> {
  const found = await headObject(object, call.attemptSignal(0));
  if (found === undefined) throw new DormouseError('store-object-missing', `${object.what}: there is none`);
  call.allowFor(found.sizeBytes);
  return found;
}

function readStream(object: GcsObject, call: StoreCall): AsyncIterable<Uint8Array> {
  return addAbortSignal(call.signal, fileOf(object).createReadStream({ decompress: false, validation: 'crc32c' }));
}

async function headObject(
  object: GcsObject,
  signal: AbortSignal,
): Promise<{ sizeBytes: number; writerId: string } | undefined> {
  try {
    const [metadata] = await untilAborted(signal, fileOf(object).getMetadata());
    return { sizeBytes: Number(metadata.size), writerId: String(metadata.metadata?.[writerMetadataName] ?? '') };
  } catch (error) {
    if (statusOf(error) !== 404) throw translateGcsError(error, object.what);
  }
  // A missing bucket and a missing object are both 404. Listing tells them apart with no right beyond the objects'.
  await translated(object, untilAborted(signal, object.bucket.getFiles({ maxResults: 1, autoPaginate: false }))).catch(
    (error: unknown) => {
      if (!(error instanceof DormouseError) || error.code !== 'store-object-missing') throw error;
      throw new DormouseError('store-misconfigured', `${object.what}: there is no such bucket`, { cause: error });
    },
  );
  return undefined;
}

async function deleteObject(object: GcsObject, call: StoreCall): Promise<void> {
  const request = (): Promise<unknown> =>
    untilAborted(call.attemptSignal(0), fileOf(object).delete({ ignoreNotFound: true }));
  await retrying(call, () => translated(object, request()));
}

type RunPage = <T>(work: (call: StoreCall) => Promise<T>) => Promise<T>;

/** As many as GCS gives at most. */
const pageSize = 1_000;

async function* listObjects(
  bucket: Bucket,
  ownPrefix: string,
  prefix: string,
  run: RunPage,
): AsyncGenerator<ObjectInfo> {
  let token: string | undefined;
  do {
    const query = {
      prefix: ownPrefix + prefix,
      maxResults: pageSize,
      ...(token === undefined ? {} : { pageToken: token }),
    };
    const page = await run((call) => listPage(bucket, query, call));
    for (const file of page.files) {
      // A name that ends in a slash is a folder marker that some consoles make, no object of ours.
      if (file.name.endsWith('/')) continue;
      yield { key: file.name.slice(ownPrefix.length), sizeBytes: Number(file.metadata.size) };
    }
    token = page.nextToken;
  } while (token !== undefined);
}

interface Query {
  readonly prefix: string;
  readonly maxResults: number;
  readonly pageToken?: string;
}

function listPage(
  bucket: Bucket,
  query: Query,
  call: StoreCall,
): Promise<{ files: File[]; nextToken: string | undefined }> {
  const what = `list ${query.prefix} in gs://${bucket.name}`;
  return retrying(call, async () => {
    const request = bucket.getFiles({ ...query, autoPaginate: false, fields: 'items(name,size),nextPageToken' });
    const [files, next] = await translated({ what }, untilAborted(call.attemptSignal(0), request));
    return { files, nextToken: pageTokenOf(next) };
  });
}

/** The SDK hands back the query of the next page, or null. */
const pageTokenOf = (next: object | null | undefined): string | undefined =>
  next !== null && next !== undefined && 'pageToken' in next && typeof next.pageToken === 'string'
    ? next.pageToken
    : undefined;
