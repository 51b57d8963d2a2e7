/**
 * One object up to S3: in one request, or in parts when it is larger than a part. With `onlyIfAbsent` the condition
 * travels on the request that makes the object visible (the put, or the completion of the parts), so it is decided
 * there and only there. A failed multipart upload is aborted; what a crash leaves of one is no object and is removed by
 * the bucket's lifecycle rule for incomplete uploads.
 *
 * SeaweedFS 4.48 was seen to let several completions of parts win where of as many puts exactly one did: what others
 * are fenced by must be smaller than a part, as the entries of an actor's log are.
 *
 * The SDK's own `Upload` (lib-storage) is not used: its abort leaves requests in flight running past the deadline.
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3';
import { writerMetadataName } from '../create-once.ts';
import { bodySize, openBody, type BodyReader } from '../object-body.ts';
import type { ObjectBody } from '../object-store.ts';
import { smallestPartBytes } from '../store-limits.ts';

export interface Upload {
  readonly client: S3Client;
  readonly bucket: string;
  /** With the prefix. */
  readonly key: string;
  readonly body: ObjectBody;
  readonly partSizeBytes: number;
  readonly onlyIfAbsent?: { readonly writerId: string };
}

export async function upload(request: Upload, signal: AbortSignal): Promise<void> {
  const sizeBytes = bodySize(request.body);
  await using reader = await openBody(request.body);
  if (sizeBytes > request.partSizeBytes) {
    await uploadInParts(request, reader, sizeBytes, signal);
    return;
  }
  const body = await reader.read(0, sizeBytes);
  await request.client.send(
    new PutObjectCommand({ ...address(request), ...metadata(request), ...condition(request), Body: body }),
    { abortSignal: signal },
  );
}

const address = (request: Upload): { Bucket: string; Key: string } => ({ Bucket: request.bucket, Key: request.key });
const metadata = ({ onlyIfAbsent }: Upload): { Metadata?: Record<string, string> } =>
  onlyIfAbsent === undefined ? {} : { Metadata: { [writerMetadataName]: onlyIfAbsent.writerId } };
const condition = ({ onlyIfAbsent }: Upload): { IfNoneMatch?: string } =>
  onlyIfAbsent === undefined ? {} : { IfNoneMatch: '*' };

async function uploadInParts(
  request: Upload,
  reader: BodyReader,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<void> {
  const { UploadId: uploadId } = await request.client.send(
    // The parts carry a CRC32 each, as the SDK sends by default; the upload has to be opened for the same kind.
    new CreateMultipartUploadCommand({ ...address(request), ...metadata(request), ChecksumAlgorithm: 'CRC32' }),
    { abortSignal: signal },
  );
  if (uploadId === undefined) throw new Error('the server began a multipart upload without an id');
  try {
    const parts = await sendParts(request, reader, sizeBytes, uploadId, signal);
    await request.client.send(
      new CompleteMultipartUploadCommand({
        ...address(request),
        ...condition(request),
        UploadId: uploadId,
        MultipartUpload: { Parts: parts },
      }),
      { abortSignal: signal },
    );
  } catch (error) {
    await abort(request, uploadId);
    throw error;
  }
}

/** Enough to fill a link while the next part is read; each holds a part in memory. */
const concurrentParts = 4;
const maxParts = 10_000;

async function sendParts(
  request: Upload,
  reader: BodyReader,
  sizeBytes: number,
  uploadId: string,
  signal: AbortSignal,
): Promise<CompletedPart[]> {
  const partBytes = Math.max(request.partSizeBytes, smallestPartBytes, Math.ceil(sizeBytes / maxParts));
  const starts = Array.from({ length: Math.ceil(sizeBytes / partBytes) }, (_, index) => index * partBytes);
  const parts: CompletedPart[] = [];
  const failed = new AbortController(); // one lost part ends the others
  const queue = starts.entries();
  async function worker(): Promise<void> {
    for (const [index, start] of queue) {
      const bytes = await reader.read(start, Math.min(sizeBytes, start + partBytes));
      const abortSignal = AbortSignal.any([signal, failed.signal]);
      parts[index] = await sendPart(request, uploadId, index + 1, bytes, abortSignal);
    }
  }
  const workers = Array.from({ length: Math.min(concurrentParts, starts.length) }, worker);
  try {
    await Promise.all(workers);
  } catch (error) {
    failed.abort();
    await Promise.allSettled(workers); // the reader closes after us
    throw error;
  }
  return parts;
}

async function sendPart(
  request: Upload,
  uploadId: string,
  number: number,
  bytes: Uint8Array,
  abortSignal: AbortSignal,
): Promise<CompletedPart> {
  const answer = await request.client.send(
    new UploadPartCommand({ ...address(request), UploadId: uploadId, PartNumber: number, Body: bytes }),
    { abortSignal },
  );
  return { PartNumber: number, ETag: answer.ETag, ChecksumCRC32: answer.ChecksumCRC32 };
}

/** The upload may have ended already and the caller's time may be up: a short try with a limit of its own. */
const abortTimeoutMs = 2_000;

async function abort(request: Upload, uploadId: string): Promise<void> {
  const command = new AbortMultipartUploadCommand({ ...address(request), UploadId: uploadId });
  await request.client.send(command, { abortSignal: AbortSignal.timeout(abortTimeoutMs) }).catch(() => undefined);
}
