/**
 * The content of one object, over plain fetch with the SDK's credentials: fetch ends with its signal and tells the
 * length in advance, where the SDK's read stream goes on after an abort. What arrives is checked by its length here and
 * by the sha256 of its manifest above us.
 */
import type { Storage } from '@google-cloud/storage';

export interface Download extends AsyncDisposable {
  readonly sizeBytes: number | undefined;
  /** Of the answer to a range. */
  readonly contentRange: string | undefined;
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface DownloadSource {
  readonly storage: Storage;
  readonly bucketName: string;
  readonly name: string;
  /** A custom endpoint is a local server, which wants no credentials. */
  readonly anonymous: boolean;
  /** As the header says it; all of the object without one. */
  readonly range: string | undefined;
}

/** The status stays on the error, where errors.ts looks for it. */
const failure = (status: number, words: string): Error => Object.assign(new Error(words), { status });

export async function download(source: DownloadSource, signal: AbortSignal): Promise<Download> {
  const place = `${source.storage.apiEndpoint}/storage/v1/b/${source.bucketName}/o/${encodeURIComponent(source.name)}`;
  const headers = source.anonymous ? new Headers() : await source.storage.authClient.getRequestHeaders(place);
  headers.set('Accept-Encoding', 'identity'); // the length is that of the object
  if (source.range !== undefined) headers.set('Range', source.range);
  const answer = await fetch(`${place}?alt=media`, { headers, signal });
  if (!answer.ok) throw failure(answer.status, (await answer.text()) || answer.statusText);
  const length = answer.headers.get('content-length');
  const body = answer.body ?? new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
  return {
    sizeBytes: length === null ? undefined : Number(length),
    contentRange: answer.headers.get('content-range') ?? undefined,
    bytes: body,
    // Closes the connection of a body that was not read to its end; one that was, or that broke, has none.
    [Symbol.asyncDispose]: () => body.cancel().catch(() => undefined),
  };
}
