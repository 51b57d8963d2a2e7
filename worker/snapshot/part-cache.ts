/**
 * Parts of snapshots that this worker shipped or fetched, kept on the node's disk by digest, so that a wake where the actor
 * slept reads no part from the store. The least recently used go first when they are more than the bound.
 *
 * A file is believed because this very process wrote it, digested it and has not written to it since; an earlier worker's
 * files are removed, not believed. What a disk damages meanwhile shows when the part is unpacked (zstd's own checksum).
 * Contents of encrypted parts lie here as they are, under the digest of the encrypted object.
 *
 * A cache never fails a caller: what cannot be kept is not kept, what cannot be had is fetched.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, rm, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { removeTree } from '../../shared/process/remove-tree.ts';

export interface PartCache extends AsyncDisposable {
  /** Keeps what a file holds as the content of a part. The file may be removed afterwards, and never written to. */
  keep(sha256: string, file: string): Promise<void>;
  /** Passes a part's content on and keeps it when all of it has come; what fails on the way, or is left, keeps nothing. */
  keepPassing(sha256: string, content: AsyncIterable<Buffer>): AsyncIterable<Buffer>;
  /** Gives the content of a part another name, which is the caller's and outlives its place in the cache. */
  linkTo(sha256: string, target: string): Promise<boolean>;
}

export interface PartCacheOptions {
  /** On the file system of those who keep and take: a part goes in and out as a link. */
  readonly folder: string;
  /** 0 keeps nothing. */
  readonly maxBytes: number;
}

export async function createPartCache({ folder, maxBytes }: PartCacheOptions): Promise<PartCache> {
  const clear = (): Promise<void> => removeTree(folder, path.dirname(folder));
  await mkdir(folder, { recursive: true });
  await clear();
  await mkdir(folder, { mode: 0o700 });
  /** Sizes by digest, the least recently used first. */
  const held = new Map<string, number>();
  let heldBytes = 0;
  const fileOf = (sha256: string): string => path.join(folder, sha256);

  const forget = async (sha256: string): Promise<void> => {
    heldBytes -= held.get(sha256) ?? 0;
    held.delete(sha256);
    await unlink(fileOf(sha256)).catch(() => undefined);
  };
  const add = async (sha256: string, file: string): Promise<void> => {
    const { size } = await stat(file);
    if (size > maxBytes || held.has(sha256)) return;
    await link(file, fileOf(sha256));
    held.set(sha256, size);
    heldBytes += size;
    for (const [oldest] of held) {
      if (heldBytes <= maxBytes) break;
      await forget(oldest);
    }
  };
  const take = async (sha256: string, target: string): Promise<boolean> => {
    const size = held.get(sha256);
    if (size === undefined) return false;
    await link(fileOf(sha256), target);
    if ((await stat(target)).size !== size) {
      await Promise.all([rm(target, { force: true }), forget(sha256)]);
      return false;
    }
    if (held.delete(sha256)) held.set(sha256, size); // now the most recently used
    return true;
  };
  async function* passing(sha256: string, content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const arriving = path.join(folder, `${sha256}.${randomUUID()}.arriving`);
    let copy = await open(arriving, 'wx').catch(() => undefined);
    try {
      for await (const piece of content) {
        await copy?.appendFile(piece).catch(async () => {
          await copy?.close().catch(() => undefined); // a full disk: it is not kept
          copy = undefined;
        });
        yield piece;
      }
      if (copy !== undefined) await add(sha256, arriving).catch(() => undefined);
    } finally {
      await copy?.close().catch(() => undefined);
      await rm(arriving, { force: true }).catch(() => undefined);
    }
  }
  return {
    keepPassing: (sha256, content) => (maxBytes === 0 ? content : passing(sha256, content)),
    keep: (sha256, file) => add(sha256, file).catch(() => undefined),
    linkTo: (sha256, target) => take(sha256, target).catch(() => false),
    [Symbol.asyncDispose]: clear,
  };
}
