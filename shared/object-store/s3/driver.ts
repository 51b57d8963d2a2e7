/**
 * S3 and whatever speaks it. With an endpoint in the URL, buckets are addressed by path (local servers have no name per
 * bucket). Each attempt of the SDK is followed by our own retries within the call's deadline; `create` looks up what
 * became of an attempt before the next one (create-once.ts).
 */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  S3Client,
  type GetObjectCommandOutput,
} from '@aws-sdk/client-s3';
import { addAbortSignal, Readable } from 'node:stream';
import { DormouseError } from '../../errors/dormouse-error.ts';
import { checkStore } from '../check-store.ts';
import { createOnce, writerMetadataName } from '../create-once.ts';
import { rangeHeader, rangeNotSatisfiable, receiveRange } from '../http-range.ts';
import { assertKey, assertPrefix } from '../key.ts';
import { inKeyOrder } from '../key-order.ts';
import { bodySize } from '../object-body.ts';
import type { ByteRange, CallOptions, ObjectBody, ObjectRange, ObjectStore } from '../object-store.ts';
import { defaultMaxBytes, refuseLarger } from '../read-bound.ts';
import { receiveFile, type Received } from '../receive-file.ts';
import { callStore, retrying, type StoreCall } from '../store-call.ts';
import type { StoreLimits } from '../store-limits.ts';
import type { S3Url } from '../store-url.ts';
import { isRefusedCreate, statusOf, translatedS3, translateS3Error } from './errors.ts';
import { listObjects } from './listing.ts';
import { upload, type Upload } from './upload.ts';

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** What S3 clients use for servers that have no regions. */
const defaultRegion = 'us-east-1';

export function openS3Store(url: S3Url, limits: StoreLimits, credentials?: S3Credentials): ObjectStore {
  const client = newClient(url, credentials);
  const description = `s3://${url.bucket}/${url.prefix}${url.endpoint === undefined ? '' : ` at ${url.endpoint}`}`;
  const place = { client, bucket: url.bucket, prefix: url.prefix, limits };
  const run = <T>(what: string, options: CallOptions | undefined, work: (call: StoreCall) => Promise<T>): Promise<T> =>
    callStore({ what: `${what} in ${description}`, limits, options, translate: translateS3Error }, work);
  const onKey = <T>(
    verb: string,
    key: string,
    options: CallOptions | undefined,
    work: (object: S3Object, call: StoreCall) => Promise<T>,
  ): Promise<T> => {
    assertKey(key);
    const object = { ...place, key: url.prefix + key, what: `${verb} ${key} in ${description}` };
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
        const found = await retrying(call, () => translatedS3(object.what, headObject(object, call.attemptSignal(0))));
        return found === undefined ? undefined : { key, sizeBytes: found.sizeBytes };
      }),
    list: (prefix, options) => {
      assertPrefix(prefix);
      const listing = listObjects(place, prefix, (work) => run(`list ${prefix}`, options, work));
      // S3 itself lists in key order; not all that speaks like it does.
      return url.endpoint === undefined ? listing : inKeyOrder(listing, prefix);
    },
    delete: (key, options) => onKey('delete', key, options, deleteObject),
    check: (options) => checkStore(store, options),
    close: () => {
      client.destroy();
      return Promise.resolve();
    },
  };
  return store;
}

function newClient(url: S3Url, credentials: S3Credentials | undefined): S3Client {
  return new S3Client({
    // Without either, the SDK's own sources say: AWS_REGION, the profile, the machine.
    ...(url.region !== undefined
      ? { region: url.region }
      : url.endpoint !== undefined
        ? { region: defaultRegion }
        : {}),
    ...(url.endpoint === undefined ? {} : { endpoint: url.endpoint, forcePathStyle: true }),
    ...(credentials === undefined ? {} : { credentials }),
    // Retries are ours (store-call.ts): the SDK's know nothing of a deadline.
    maxAttempts: 1,
    // What goes up carries a CRC32 that the server checks. What comes down is checked by its length here and by the
    // sha256 of its manifest above us; the SDK's check would put a stream between that hides a broken connection.
    requestChecksumCalculation: 'WHEN_SUPPORTED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: connectionTimeoutMs, socketTimeout: 0 },
  });
}

/** A host that does not even accept by then is down; the rest of the call's time goes to trying again. */
const connectionTimeoutMs = 5_000;

interface S3Place {
  readonly client: S3Client;
  readonly bucket: string;
  readonly prefix: string;
  readonly limits: StoreLimits;
}
interface S3Object extends S3Place {
  /** With the prefix. */
  readonly key: string;
  readonly what: string;
}

const address = (object: S3Object): { Bucket: string; Key: string } => ({ Bucket: object.bucket, Key: object.key });

const uploadOf = (object: S3Object, body: ObjectBody): Upload => ({
  client: object.client,
  bucket: object.bucket,
  key: object.key,
  body,
  partSizeBytes: object.limits.partSizeBytes,
});

async function putObject(object: S3Object, body: ObjectBody, call: StoreCall): Promise<void> {
  const sizeBytes = bodySize(body);
  call.allowFor(sizeBytes);
  await retrying(call, () => translatedS3(object.what, upload(uploadOf(object, body), call.attemptSignal(sizeBytes))));
}

async function createObject(object: S3Object, body: ObjectBody, call: StoreCall): Promise<'created' | 'exists'> {
  const sizeBytes = bodySize(body);
  call.allowFor(sizeBytes);
  return createOnce(call, sizeBytes, {
    upload: (writerId, signal) =>
      createAttempt(object, { ...uploadOf(object, body), onlyIfAbsent: { writerId } }, signal),
    readWriterId: async (signal) => (await translatedS3(object.what, headObject(object, signal)))?.writerId,
  });
}

async function createAttempt(object: S3Object, request: Upload, signal: AbortSignal): Promise<'accepted' | 'refused'> {
  try {
    await upload(request, signal);
    return 'accepted';
  } catch (error) {
    if (isRefusedCreate(error)) return 'refused';
    throw error instanceof DormouseError ? error : translateS3Error(error, object.what);
  }
}

const fetchObject = (object: S3Object, signal: AbortSignal, range?: string): Promise<GetObjectCommandOutput> =>
  object.client.send(new GetObjectCommand({ ...address(object), ...(range !== undefined && { Range: range }) }), {
    abortSignal: signal,
  });

async function getObject(object: S3Object, maxBytes: number, call: StoreCall): Promise<Buffer> {
  return retrying(call, () => translatedS3(object.what, readObject(object, maxBytes, call)));
}

async function readObject(object: S3Object, maxBytes: number, call: StoreCall): Promise<Buffer> {
  using attempt = call.startAttempt();
  const answer = await fetchObject(object, attempt.signal);
  using body = bodyOf(answer, attempt.signal);
  refuseLarger(object.key, answer.ContentLength ?? 0, maxBytes);
  attempt.allowFor(answer.ContentLength ?? 0);
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body.bytes) {
    chunks.push(chunk);
    refuseLarger(object.key, (sizeBytes += chunk.length), maxBytes);
  }
  return Buffer.concat(chunks);
}

function getObjectToFile(
  object: S3Object,
  path: string,
  maxBytes: number | undefined,
  call: StoreCall,
): Promise<Received> {
  return retrying(call, () => translatedS3(object.what, receiveObject(object, path, maxBytes, call)));
}

async function receiveObject(
  object: S3Object,
  path: string,
  maxBytes: number | undefined,
  call: StoreCall,
): Promise<Received> {
  using attempt = call.startAttempt();
  const answer = await fetchObject(object, attempt.signal);
  using body = bodyOf(answer, attempt.signal);
  attempt.allowFor(answer.ContentLength ?? 0);
  return await receiveFile(body.bytes, path, { key: object.key, expectedBytes: answer.ContentLength, maxBytes });
}

async function getObjectRange(object: S3Object, range: ByteRange, call: StoreCall): Promise<ObjectRange> {
  const what = `${object.what} (${rangeHeader(range)})`;
  return retrying(call, () => translatedS3(what, readRange({ ...object, what }, range, call)));
}

async function readRange(object: S3Object, range: ByteRange, call: StoreCall): Promise<ObjectRange> {
  using attempt = call.startAttempt();
  attempt.allowFor(range.length);
  const answer = await fetchObject(object, attempt.signal, rangeHeader(range)).catch((error: unknown) => {
    if (statusOf(error) === rangeNotSatisfiable) return undefined;
    throw error;
  });
  if (answer === undefined) return { bytes: Buffer.alloc(0), objectBytes: await sizeOf(object, attempt.signal) };
  using body = bodyOf(answer, attempt.signal);
  return await receiveRange(object.what, range, { contentRange: answer.ContentRange, bytes: body.bytes });
}

async function sizeOf(object: S3Object, signal: AbortSignal): Promise<number> {
  const found = await headObject(object, signal);
  if (found !== undefined) return found.sizeBytes;
  throw new DormouseError('store-object-missing', `${object.what}: it was deleted meanwhile`);
}

type OpenBody = Disposable & { readonly bytes: AsyncIterable<Uint8Array> };

/** Disposing of it closes the connection of a body that was not read to its end. */
function bodyOf(answer: GetObjectCommandOutput, signal: AbortSignal): OpenBody {
  const body = answer.Body;
  if (!(body instanceof Readable)) throw new Error('the SDK gave a body that is not a stream');
  addAbortSignal(signal, body); // the SDK's signal ends with the headers
  return { bytes: body, [Symbol.dispose]: () => void body.destroy() };
}

async function headObject(
  object: S3Object,
  signal: AbortSignal,
): Promise<{ sizeBytes: number; writerId: string } | undefined> {
  try {
    const answer = await object.client.send(new HeadObjectCommand(address(object)), { abortSignal: signal });
    return { sizeBytes: answer.ContentLength ?? 0, writerId: answer.Metadata?.[writerMetadataName] ?? '' };
  } catch (error) {
    if (translateS3Error(error, object.what).code !== 'store-object-missing') throw error;
    await confirmBucket(object, signal);
    return undefined;
  }
}

/** The answer to a HEAD has no body, so a missing bucket, or an unknown key id, looks like a missing object. */
async function confirmBucket(place: S3Place, signal: AbortSignal): Promise<void> {
  await place.client.send(new ListObjectsV2Command({ Bucket: place.bucket, MaxKeys: 1 }), { abortSignal: signal });
}

async function deleteObject(object: S3Object, call: StoreCall): Promise<void> {
  const request = (): Promise<unknown> =>
    object.client.send(new DeleteObjectCommand(address(object)), { abortSignal: call.attemptSignal(0) });
  await retrying(call, () => translatedS3(object.what, request())).catch((error: unknown) => {
    if (!(error instanceof DormouseError) || error.code !== 'store-object-missing') throw error;
  });
}
