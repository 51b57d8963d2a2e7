/**
 * One object up to Google Cloud Storage: in one request, or as a resumable upload in pieces when it is larger than a
 * part. With `onlyIfAbsent` the request carries `ifGenerationMatch: 0`, which the server decides when the object becomes
 * visible, whichever way it came. The SDK sends a CRC32C along and checks the one that comes back.
 */
import type { File } from '@google-cloud/storage';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { writerMetadataName } from '../create-once.ts';
import { bodyPieces, bodySize, openBody } from '../object-body.ts';
import type { ObjectBody } from '../object-store.ts';

export interface Upload {
  readonly file: File;
  readonly body: ObjectBody;
  readonly partSizeBytes: number;
  readonly onlyIfAbsent?: { readonly writerId: string };
}

/** Resumable pieces must be multiples of this. */
const pieceUnitBytes = 256 * 1024;

export async function upload(request: Upload, signal: AbortSignal): Promise<void> {
  const { file, body, partSizeBytes, onlyIfAbsent } = request;
  const sizeBytes = bodySize(body);
  const pieceBytes = Math.max(1, Math.floor(partSizeBytes / pieceUnitBytes)) * pieceUnitBytes;
  await using reader = await openBody(body);
  const target = file.createWriteStream({
    resumable: sizeBytes > partSizeBytes,
    chunkSize: pieceBytes,
    validation: 'crc32c',
    metadata: {
      contentType: 'application/octet-stream',
      ...(onlyIfAbsent === undefined ? {} : { metadata: { [writerMetadataName]: onlyIfAbsent.writerId } }),
    },
    ...(onlyIfAbsent === undefined ? {} : { preconditionOpts: { ifGenerationMatch: 0 } }),
  });
  await pipeline(Readable.from(bodyPieces(reader, sizeBytes, pieceBytes)), target, { signal });
}
