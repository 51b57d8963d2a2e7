/**
 * The object-store port: everything the platform asks of a store, and no more.
 *
 * The one operation that correctness rests on is `create`: it must succeed for exactly one of any number of concurrent
 * writers of a key (S3 `If-None-Match: *`, GCS `ifGenerationMatch: 0`, link(2) in a folder). Everything else may be
 * repeated freely.
 *
 * Keys are `/`-separated segments of `[A-Za-z0-9._=-]+`; no key is ever the folder of another (`x` and `x/y`).
 * Failures are DormouseError: `store-object-missing` (the key has no object), `store-unavailable` (network, 5xx,
 * deadline; retryable), `store-denied` (credentials or permissions), `store-misconfigured` (bucket or URL wrong).
 */

export type ObjectBody =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'file'; readonly path: string; readonly sizeBytes: number };

export interface ObjectInfo {
  readonly key: string;
  readonly sizeBytes: number;
}

export interface CallOptions {
  /** Ends the call early; without one a driver applies its own deadline. */
  readonly signal?: AbortSignal;
}

export interface ObjectStore {
  /** The configured URL without secrets, for logs and error messages. */
  readonly description: string;
  /** Writes an object, replacing what was there. Durable when it returns. */
  put(key: string, body: ObjectBody, options?: CallOptions): Promise<void>;
  /** Writes an object only if the key has none. Exactly one of any concurrent callers gets 'created'. */
  create(key: string, body: ObjectBody, options?: CallOptions): Promise<'created' | 'exists'>;
  /** Reads a whole object into memory. `maxBytes` (default 64 MiB) bounds it: a larger one is `store-object-too-large`. */
  get(key: string, options?: CallOptions & { readonly maxBytes?: number }): Promise<Buffer>;
  /** Streams an object into a file that it creates; returns what arrived. A short or cut transfer is an error and leaves no file. */
  getToFile(key: string, path: string, options?: CallOptions): Promise<{ sizeBytes: number; sha256: string }>;
  /** Size of an object, or undefined if there is none. */
  head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined>;
  /** Every object whose key starts with `prefix` (which ends in `/` or is empty), in ascending key order. */
  list(prefix: string, options?: CallOptions): AsyncIterable<ObjectInfo>;
  /** Removes an object; a missing one is not an error. */
  delete(key: string, options?: CallOptions): Promise<void>;
  /** Checks that the store is there and writable by us; throws a DormouseError that says what is wrong. */
  check(options?: CallOptions): Promise<void>;
  close(): Promise<void>;
}
