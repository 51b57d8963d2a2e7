/** Listing a bucket page by page, each page a call of its own. GCS lists in the order of whole names. */
import type { Bucket } from '@google-cloud/storage';
import { z } from 'zod';
import { DormouseError } from '../../errors/dormouse-error.ts';
import type { ListedObject } from '../object-store.ts';
import { retrying, untilAborted, type RunCall, type StoreCall } from '../store-call.ts';
import { statusOf, translateGcsError } from './errors.ts';

/** As many as GCS gives at most. */
const pageSize = 1_000;
const pageSchema = z.object({
  items: z.array(z.object({ name: z.string(), size: z.coerce.number(), updated: z.coerce.date() })).default([]),
  nextPageToken: z.string().optional(),
});
type Page = z.infer<typeof pageSchema>;

export async function* listObjects(
  bucket: Bucket,
  ownPrefix: string,
  prefix: string,
  run: RunCall,
): AsyncGenerator<ListedObject> {
  let token: string | undefined;
  do {
    const page = await run((call) => listPage(bucket, ownPrefix + prefix, token, call));
    for (const { name, size, updated } of page.items) {
      // A name that ends in a slash is a folder marker that some consoles make, no object of ours.
      if (name.endsWith('/')) continue;
      yield { key: name.slice(ownPrefix.length), sizeBytes: size, modifiedAtMs: updated.getTime() };
    }
    token = page.nextPageToken === '' ? undefined : page.nextPageToken;
  } while (token !== undefined);
}

function listPage(bucket: Bucket, prefix: string, token: string | undefined, call: StoreCall): Promise<Page> {
  const what = `list ${prefix} in gs://${bucket.name}`;
  const query = {
    prefix,
    maxResults: pageSize,
    autoPaginate: false,
    fields: 'items(name,size,updated),nextPageToken', // the whole metadata of each object is a kilobyte
    ...(token === undefined ? {} : { pageToken: token }),
  };
  return retrying(call, async () => {
    const request = untilAborted(call.attemptSignal(0), bucket.getFiles(query));
    const [, , answer] = await request.catch((error: unknown) => {
      if (statusOf(error) !== 404) throw translateGcsError(error, what);
      throw new DormouseError('store-misconfigured', `${what}: there is no such bucket`, { cause: error });
    });
    return pageSchema.parse(answer);
  });
}
