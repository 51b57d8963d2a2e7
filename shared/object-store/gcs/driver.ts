/**
 * Google Cloud Storage. With an endpoint in the URL (a local server) no credentials are sent. The SDK takes no signals:
 * a call returns by its deadline all the same (store-call.ts), and the SDK's own retries are off, because they know
 * nothing of it; `create` looks up what became of an attempt before the next one (create-once.ts).
 *
 * Deletions carry no precondition: nothing is fenced by them, and some servers ignore it.
 */
import { IdempotencyStrategy, Storage, type Bucket, type File } from '@google-cloud/storage';
import { DormouseError } from '../../errors/dormouse-error.ts';
import { checkStore } from '../check-store.ts';
import { createOnce, writerMetadataName } from '../create-once.ts';
import { rangeHeader, rangeNotSatisfiable, receiveRange } from '../http-range.ts';
import { assertKey, assertPrefix } from '../key.ts';
import { bodySize } from '../object-body.ts';
import type { ByteRange, CallOptions, ObjectBody, ObjectRange, ObjectStore } from '../object-store.ts';
import { defaultMaxBytes, refuseLarger } from '../read-bound.ts';
import { receiveFile, type Received } from '../receive-file.ts';
import { callStore, retrying, untilAborted, type Attempt, type StoreCall } from '../store-call.ts';
import type { StoreLimits } from '../store-limits.ts';
import type { GcsUrl } from '../store-url.ts';
import { download, type Download } from './download.ts';
import { isRefusedCreate, statusOf, translatedGcs, translateGcsError } from './errors.ts';
import { listObjects } from './listing.ts';
import { upload, type Upload } from './upload.ts';

export function openGcsStore(url: GcsUrl, limits: StoreLimits): ObjectStore {
  const place = { bucket: newBucket(url, limits), limits, anonymous: url.endpoint !== undefined };
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
    const object = { ...place, name: url.prefix + key, what: `${verb} ${key} in ${description}` };
    return run(`${verb} ${key}`, options, (call) => work(object, call));
  };

  const store: ObjectStore = {
    description,
    put: (key, body, options) => onKey('put', key, options, (object, call) => putObject(object, body, call)),
    create: (key, body, options) => onKey('create', key, options, (object, call) => createObject(object, body, call)),
    get: (key, options) =>
      onKey('get', key, options, (object, call) => getObject(object, options?.maxBytes ?? defaultMaxBytes, call)),
    getToFile: (key, path, options) =>
      onKey('get', key, options, (object, call) => getObjectToFile(object, path, options?.maxBytes, call)),
    getRange: (key, range, options) =>
      onKey('get', key, options, (object, call) => getObjectRange(object, range, call)),
    head: (key, options) =>
      onKey('head', key, options, async (object, call) => {
        const found = await retrying(call, () => headObject(object, call.attemptSignal(0)));
        return found === undefined ? undefined : { key, sizeBytes: found.sizeBytes };
      }),
    list: (prefix, options) => {
      assertPrefix(prefix);
      return listObjects(place.bucket, url.prefix, prefix, (work) => run(`list ${prefix}`, options, work));
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

interface GcsPlace {
  readonly bucket: Bucket;
  readonly limits: StoreLimits;
  /** A custom endpoint is a local server, which wants no credentials. */
  readonly anonymous: boolean;
}
interface GcsObject extends GcsPlace {
  /** With the prefix. */
  readonly name: string;
  readonly what: string;
}

/** A new one each time: the SDK keeps what it learned of an object in it. */
const fileOf = (object: GcsObject): File => object.bucket.file(object.name);

const uploadOf = (object: GcsObject, body: ObjectBody): Upload => ({
  file: fileOf(object),
  body,
  partSizeBytes: object.limits.partSizeBytes,
});

async function putObject(object: GcsObject, body: ObjectBody, call: StoreCall): Promise<void> {
  const sizeBytes = bodySize(body);
  call.allowFor(sizeBytes);
  await retrying(call, () => send(object, uploadOf(object, body), call.attemptSignal(sizeBytes)));
}

/** One upload, its errors translated. A 404 is a bucket that is not there, or an upload session that is no more. */
async function send(object: GcsObject, request: Upload, signal: AbortSignal): Promise<void> {
  try {
    await untilAborted(signal, upload(request, signal));
  } catch (error) {
    if (error instanceof DormouseError) throw error;
    if (statusOf(error) !== 404) throw translateGcsError(error, object.what);
    await confirmBucket(object, signal);
    throw new DormouseError('store-unavailable', `${object.what}: the upload session ended`, { cause: error });
  }
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
    await send(object, request, signal);
    return 'accepted';
  } catch (error) {
    if (error instanceof DormouseError && isRefusedCreate(error.cause)) return 'refused';
    throw error;
  }
}

async function getObject(object: GcsObject, maxBytes: number, call: StoreCall): Promise<Buffer> {
  return retrying(call, () => translatedGcs(object.what, readObject(object, maxBytes, call)));
}

async function readObject(object: GcsObject, maxBytes: number, call: StoreCall): Promise<Buffer> {
  using attempt = call.startAttempt();
  await using body = await openDownload(object, attempt);
  refuseLarger(object.name, body.sizeBytes ?? 0, maxBytes);
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body.bytes) {
    chunks.push(chunk);
    refuseLarger(object.name, (sizeBytes += chunk.length), maxBytes);
  }
  return Buffer.concat(chunks);
}

function getObjectToFile(
  object: GcsObject,
  path: string,
  maxBytes: number | undefined,
  call: StoreCall,
): Promise<Received> {
  return retrying(call, () => translatedGcs(object.what, receiveObject(object, path, maxBytes, call)));
}

async function receiveObject(
  object: GcsObject,
  path: string,
  maxBytes: number | undefined,
  call: StoreCall,
): Promise<Received> {
  using attempt = call.startAttempt();
  await using body = await openDownload(object, attempt);
  return await receiveFile(body.bytes, path, { key: object.name, expectedBytes: body.sizeBytes, maxBytes });
}

function getObjectRange(object: GcsObject, range: ByteRange, call: StoreCall): Promise<ObjectRange> {
  const what = `${object.what} (${rangeHeader(range)})`;
  return retrying(call, () => translatedGcs(what, readRange({ ...object, what }, range, call)));
}

async function readRange(object: GcsObject, range: ByteRange, call: StoreCall): Promise<ObjectRange> {
  using attempt = call.startAttempt();
  const body = await openDownload(object, attempt, rangeHeader(range)).catch((error: unknown) => {
    if (statusOf(error) === rangeNotSatisfiable) return undefined;
    throw error;
  });
  if (body === undefined) return { bytes: Buffer.alloc(0), objectBytes: await sizeOf(object, attempt.signal) };
  await using open = body;
  return await receiveRange(object.what, range, open);
}

async function sizeOf(object: GcsObject, signal: AbortSignal): Promise<number> {
  const found = await headObject(object, signal);
  if (found !== undefined) return found.sizeBytes;
  throw new DormouseError('store-object-missing', `${object.what}: it was deleted meanwhile`);
}

async function openDownload(object: GcsObject, attempt: Attempt, range?: string): Promise<Download> {
  const { storage, name: bucketName } = object.bucket;
  const source = { storage, bucketName, name: object.name, anonymous: object.anonymous, range };
  const body = await download(source, attempt.signal).catch(async (error: unknown) => {
    if (statusOf(error) === 404) await confirmBucket(object, attempt.signal);
    throw error;
  });
  attempt.allowFor(body.sizeBytes ?? 0);
  return body;
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
  await confirmBucket(object, signal);
  return undefined;
}

/** A missing bucket and a missing object are both 404. Listing tells them apart with no right beyond the objects'. */
async function confirmBucket(object: GcsObject, signal: AbortSignal): Promise<void> {
  try {
    await untilAborted(signal, object.bucket.getFiles({ maxResults: 1, autoPaginate: false }));
  } catch (error) {
    if (statusOf(error) !== 404) throw translateGcsError(error, object.what);
    const words = `${object.what}: there is no bucket ${object.bucket.name}`;
    throw new DormouseError('store-misconfigured', words, { cause: error });
  }
}

async function deleteObject(object: GcsObject, call: StoreCall): Promise<void> {
  const request = (): Promise<unknown> =>
    untilAborted(call.attemptSignal(0), fileOf(object).delete({ ignoreNotFound: true }));
  await retrying(call, () => translatedGcs(object.what, request()));
}
