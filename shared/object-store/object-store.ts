/**
 * The object-store port: everything the platform asks of a store, and no more. Drivers: file/, s3/, gcs/, opened by URL
 * in open.ts; conformance.ts is the suite that each of them passes against a real server.
 *
 * The one operation that correctness rests on is `create`: it must succeed for exactly one of any number of concurrent
 * writers of a key (S3 `If-None-Match: *`, GCS `ifGenerationMatch: 0`, link(2) in a folder). Everything else may be
 * repeated freely.
 *
 * Keys are `/`-separated segments of `[A-Za-z0-9._=-]+` that do not begin with a dot; no key is ever the folder of
 * another (`x` and `x/y`): a folder cannot hold both, and some S3 servers hide one of them. The caller sees to that.
 *
 * Failures are DormouseError: `store-object-missing` (the key has no object), `store-unavailable` (network, 5xx,
 * deadline; retryable), `store-denied` (credentials or permissions), `store-misconfigured` (bucket or URL wrong, or the
 * server lacks what we need). A call that its caller's signal ends fails with the signal's reason if that is a
 * DormouseError, and with `deadline-exceeded` if not.
 */

export type ObjectBody =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly sizeBytes: number;
      /** Nobody writes to this file again, though its name may go: a store on the same disk need not copy it. */
      readonly isFinal?: boolean;
    };

export interface ObjectInfo {
  readonly key: string;
  readonly sizeBytes: number;
}

export interface ListedObject extends ObjectInfo {
  /** When it was written, by the store's clock; in milliseconds since 1970. */
  readonly modifiedAtMs: number;
}

export interface CallOptions {
  /** Ends the call early. Each call has a deadline of its own besides (store-limits.ts). */
  readonly signal?: AbortSignal;
}

export interface ReadOptions extends CallOptions {
  /** A larger object is `store-object-too-large`, as soon as that shows. */
  readonly maxBytes?: number;
}

export interface ByteRange {
  readonly start: number;
  /** At least 1. */
  readonly length: number;
}

export interface ObjectRange {
  readonly bytes: Buffer;
  /** Of the whole object. */
  readonly objectBytes: number;
}

export interface ObjectStore {
  /** The configured URL without secrets, for logs and error messages. */
  readonly description: string;
  /**
   * Writes an object, replacing what was there. Durable when it returns. Over a network an attempt that was given up can
   * still arrive after a later put of the key: what changes is written under new names.
   */
  put(key: string, body: ObjectBody, options?: CallOptions): Promise<void>;
  /**
   * Writes an object only if the key has none. Exactly one of any concurrent callers gets 'created'; that caller gets
   * it even when an answer of the server was lost on the way (create-once.ts). A failure leaves it open whether the
   * object was written: before acting on that, read the key and compare. What others are fenced by should be small (one
   * request): not every S3 server decides the condition as strictly when an object comes in parts.
   */
  create(key: string, body: ObjectBody, options?: CallOptions): Promise<'created' | 'exists'>;
  /** Reads a whole object into memory. `maxBytes` is 64 MiB unless given. */
  get(key: string, options?: ReadOptions): Promise<Buffer>;
  /**
   * Streams an object into a file, which appears at `path` whole or not at all and replaces what was there; returns
   * what arrived. A short or cut transfer is an error. The file is not synced: it is a copy of what the store holds.
   */
  getToFile(key: string, path: string, options?: ReadOptions): Promise<{ sizeBytes: number; sha256: string }>;
  /**
   * Reads a piece of an object: exactly what the object has of it, which is less, or nothing, where the object ends. A cut
   * transfer is an error. Several may be under way at once; nothing says that they are of one version of the object.
   */
  getRange(key: string, range: ByteRange, options?: CallOptions): Promise<ObjectRange>;
  /** Size of an object, or undefined if there is none. */
  head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined>;
  /**
   * Every object whose key starts with `prefix` (which ends in `/` or is empty), in ascending key order. Where the
   * server's own order cannot be trusted (an S3 endpoint), one folder right below the prefix is held in memory at a time:
   * list deep prefixes. The deadline is for each page; what is written meanwhile may be missed.
   */
  list(prefix: string, options?: CallOptions): AsyncIterable<ListedObject>;
  /** Removes an object; a missing one is not an error. */
  delete(key: string, options?: CallOptions): Promise<void>;
  /**
   * Checks that the store is there, writable by us, and refuses a second `create` of a key; throws a DormouseError that
   * says what is wrong. It writes and deletes a small object below `check/`: call it when starting, not in a loop.
   */
  check(options?: CallOptions): Promise<void>;
  close(): Promise<void>;
}
