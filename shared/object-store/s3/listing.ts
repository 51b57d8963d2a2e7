/** Listing a bucket page by page, each page a call of its own, in the order in which the server lists (key-order.ts). */
import { ListObjectsV2Command, type ListObjectsV2CommandOutput, type S3Client } from '@aws-sdk/client-s3';
import type { ListedObject } from '../object-store.ts';
import { retrying, type RunCall, type StoreCall } from '../store-call.ts';
import { translatedS3 } from './errors.ts';

export interface ListingPlace {
  readonly client: S3Client;
  readonly bucket: string;
  readonly prefix: string;
}

export async function* listObjects(place: ListingPlace, prefix: string, run: RunCall): AsyncGenerator<ListedObject> {
  let token: string | undefined;
  do {
    const page = await run((call) => listPage(place, place.prefix + prefix, token, call));
    for (const { Key: key, Size: sizeBytes = 0, LastModified: modifiedAt } of page.Contents ?? []) {
      // A key that ends in a slash is a folder marker that some consoles make, no object of ours.
      if (key?.endsWith('/') !== false) continue;
      // A server that does not say counts as saying "now": nothing is ever old there.
      yield { key: key.slice(place.prefix.length), sizeBytes, modifiedAtMs: modifiedAt?.getTime() ?? Date.now() };
    }
    token = page.NextContinuationToken;
  } while (token !== undefined);
}

function listPage(
  place: ListingPlace,
  prefix: string,
  token: string | undefined,
  call: StoreCall,
): Promise<ListObjectsV2CommandOutput> {
  const input = { Bucket: place.bucket, Prefix: prefix, ...(token === undefined ? {} : { ContinuationToken: token }) };
  const request = (): Promise<ListObjectsV2CommandOutput> =>
    place.client.send(new ListObjectsV2Command(input), { abortSignal: call.attemptSignal(0) });
  return retrying(call, () => translatedS3(`list ${prefix} in s3://${place.bucket}`, request()));
}
