/** How long a call may take and when an upload is cut into pieces. Tests make all of it small. */

export interface StoreLimits {
  /** For a call whatever its size; a transfer gets its size over `slowestBytesPerSecond` on top. */
  readonly callTimeoutMs: number;
  readonly slowestBytesPerSecond: number;
  /** A body larger than this goes up in parts (S3 multipart, GCS resumable); a smaller one in one request. */
  readonly partSizeBytes: number;
}

const MiB = 1024 * 1024;

/** S3 takes no smaller part than this, except for the last one. */
export const smallestPartBytes = 5 * MiB;

export const defaultStoreLimits: StoreLimits = {
  // Long enough for a slow store to fail over, short enough that a wake still has time to report it.
  callTimeoutMs: 30_000,
  // A link slower than this cannot ship snapshots in time to be of use.
  slowestBytesPerSecond: MiB,
  // S3 allows 10,000 parts: objects to 78 GiB, at 32 MiB of memory for four parts at a time.
  partSizeBytes: 8 * MiB,
};
