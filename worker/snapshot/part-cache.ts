/**
 * Parts of snapshots that this worker shipped or fetched, kept on the node's disk by digest, so that a wake where the actor
 * slept reads no part from the store. The least recently used go first when they are more than the bound.
 *
 * A file is believed because this very process wrote it, digested it and has not written to it since; an earlier worker's
 * files are removed, not believed. What a disk damages meanwhile shows when the part is unpacked (zstd's own checksum).
 * Contents of encrypted parts lie here as they are, under the digest of the encrypted object.
 *
 * A part that somebody reads from is held: it leaves the count when it is its turn, and the disk when it was let go.
 *
 * A cache never fails a caller: what cannot be kept is not kept, what cannot be had is fetched.
 */
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { link, mkdir, open, rm, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { removeTree } from '../../shared/process/remove-tree.ts';

export interface PartCache extends AsyncDisposable {
  /**
   * Keeps what a file holds as the content of a part, looking for its size unless that is known. The file may be removed
   * afterwards, and never written to.
   */
  keep(sha256: string, file: string, sizeBytes?: number): Promise<void>;
  /** The content of a part where it lies, to be read only, until it is let go. */
  hold(sha256: string): Promise<HeldPart | undefined>;
  /** Passes a part's content on and keeps it when all of it has come; what fails on the way, or is left, keeps nothing. */
  keepPassing(sha256: string, content: AsyncIterable<Buffer>): AsyncIterable<Buffer>;
  /** Gives the content of a part another name, which is the caller's and outlives its place in the cache. */
  linkTo(sha256: string, target: string): Promise<boolean>;
}

export interface HeldPart extends Disposable {
  readonly path: string;
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
  /** By digest, the least recently used first. */
  const kept = new Map<string, Kept>();
  let keptBytes = 0;
  const fileOf = (sha256: string): string => path.join(folder, sha256);

  const forget = async (sha256: string, part: Kept): Promise<void> => {
    if (kept.get(sha256) !== part) return;
    kept.delete(sha256);
    keptBytes -= part.sizeBytes;
    if (part.readers === 0) await unlink(fileOf(sha256)).catch(() => undefined);
  };
  const letGo = (sha256: string, part: Kept): void => {
    part.readers--;
    if (part.readers === 0 && kept.get(sha256) !== part) unlink(fileOf(sha256)).catch(() => undefined);
  };
  const add = async (sha256: string, file: string, sizeBytes: number): Promise<void> => {
    if (sizeBytes > maxBytes || kept.has(sha256)) return;
    await link(file, fileOf(sha256));
    kept.set(sha256, { sizeBytes, readers: 0 });
    keptBytes += sizeBytes;
    for (const [oldest, part] of kept) {
      if (keptBytes <= maxBytes) break;
      await forget(oldest, part);
    }
  };
  const hold = async (sha256: string): Promise<HeldPart | undefined> => {
    const part = kept.get(sha256);
    if (part === undefined) return undefined;
    part.readers++;
    const file = fileOf(sha256);
    // At once: by way of a pool of threads it takes ten times the processor's time, twice for each wake.
    if (statSync(file, { throwIfNoEntry: false })?.size === part.sizeBytes) {
      if (kept.delete(sha256)) kept.set(sha256, part); // now the most recently used
      return { path: file, [Symbol.dispose]: once(() => letGo(sha256, part)) };
    }
    await forget(sha256, part);
    letGo(sha256, part);
    return undefined;
  };
  const keep = async (sha256: string, file: string, sizeBytes?: number): Promise<void> => {
    const work = async (): Promise<void> => add(sha256, file, sizeBytes ?? (await stat(file)).size);
    await work().catch(() => undefined);
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
      if (copy !== undefined) await keep(sha256, arriving);
    } finally {
      await copy?.close().catch(() => undefined);
      await rm(arriving, { force: true }).catch(() => undefined);
    }
  }
  const linkTo = async (sha256: string, target: string): Promise<boolean> => {
    using part = await hold(sha256);
    if (part !== undefined) await link(part.path, target);
    return part !== undefined;
  };
  return {
    keep,
    keepPassing: (sha256, content) => (maxBytes === 0 ? content : passing(sha256, content)),
    hold,
    linkTo: (sha256, target) => linkTo(sha256, target).catch(() => false),
    [Symbol.asyncDispose]: clear,
  };
}

interface Kept {
  readonly sizeBytes: number;
  readers: number;
}

function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) work();
    isDone = true;
  };
}
