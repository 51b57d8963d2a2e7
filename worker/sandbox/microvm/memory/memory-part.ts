/**
 * Writes and reads the memory part as a file: page stream, zstd, digest. What a wake waits for works in large steps without
 * waiting in between: each would be a trip through the thread pool, and hundreds of them cost more than all of the work.
 * So it belongs into the memory thread (memory-thread.ts).
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  createWriteStream,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough, Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import {
  constants,
  createZstdCompress,
  createZstdDecompress,
  zstdCompress,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib';
import { DormouseError } from '../../../../shared/errors/dormouse-error.ts';
import type { CapturedPart } from '../../sandbox.ts';
import { changedPages } from './changed-pages.ts';
import { createStrip } from './lay-pages.ts';
import { addPages, countPages, emptyPageSet, hasAnyPage, unionOf, type PageSet } from './page-set.ts';
import {
  decodeArriving,
  decodeWhole,
  encodeEnd,
  encodeHeader,
  encodeRun,
  pageSizeBytes,
  type PageRun,
} from './page-stream.ts';
import { collectPages, takePages, type PageCollector } from './recent-pages.ts';

/**
 * Level 3 saves a twentieth over level 1 for a fraction of a ms per MiB; higher ones gain little, and the actor waits.
 * Each piece of output is a step through the thread pool: with the default of 16 KiB these cost more than the compression.
 */
const compression = {
  // The checksum is verified whenever the part is unpacked, be it after a year in a store or a minute in a cache.
  params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 },
  chunkSize: 256 * 1024,
};
const pieceBytes = 1024 * 1024;

export interface MemoryPart extends CapturedPart {
  readonly pageCount: number;
  readonly comparedPages: number;
}

export interface MemorySource {
  readonly memoryPath: string;
  readonly memorySizeBytes: number;
  readonly basePath?: string | undefined;
  /** Pages outside are known to be the base's; without it all are compared. */
  readonly candidates?: PageSet | undefined;
  /** Pages that the parts below this one carry. It carries each of those among the candidates, whole: they are not the base's. */
  readonly below?: PageSet | undefined;
}

export async function writeMemoryPart(source: MemorySource, target: string, signal: AbortSignal): Promise<MemoryPart> {
  signal.throwIfAborted();
  const counted = { pages: 0 };
  const recent = collectPages();
  const pages = encodedPages(source, counted, recent);
  const first = piecesOf(pages);
  const part = first.isAll
    ? writeAtOnce(Buffer.concat(first.pieces), target, recent)
    : await writeCompressed(Readable.from(following(first.pieces, pages)), target, signal);
  const { memorySizeBytes, candidates } = source;
  const comparedPages = candidates === undefined ? memorySizeBytes / pageSizeBytes : countPages(candidates);
  return { ...part, pageCount: counted.pages, comparedPages };
}

/** All of them, or as many as are no small part any more. */
function piecesOf(pages: Iterator<Buffer>): { readonly pieces: Buffer[]; readonly isAll: boolean } {
  const pieces: Buffer[] = [];
  for (let bytes = 0; bytes <= maxUnpackedPieceBytes;) {
    const next = pages.next();
    if (next.done === true) return { pieces, isAll: true };
    pieces.push(next.value);
    bytes += next.value.length;
  }
  return { pieces, isAll: false };
}

function* following(first: readonly Buffer[], rest: Generator<Buffer>): Generator<Buffer> {
  yield* first;
  yield* rest;
}

function writeAtOnce(content: Buffer, target: string, recent: PageCollector): CapturedPart {
  const packed = zstdCompressSync(content, compression);
  writeFileSync(target, packed);
  const part = { path: target, ...contentOf(packed) };
  recent.keepAs(part.sha256);
  return part;
}

const contentOf = (packed: Buffer): Pick<CapturedPart, 'sizeBytes' | 'sha256'> => ({
  sizeBytes: packed.length,
  sha256: createHash('sha256').update(packed).digest('hex'),
});

/** The stream in pieces of about a run's size: each is a step of its own for zstd, and a piece of 8 bytes costs as much. */
function* encodedPages(source: MemorySource, counted: { pages: number }, recent: PageCollector): Generator<Buffer> {
  const { memoryPath, basePath, memorySizeBytes, candidates, below } = source;
  let pieces = [encodeHeader(memorySizeBytes, basePath !== undefined)];
  let bytes = 0;
  for (const run of changedPages(memoryPath, basePath, memorySizeBytes, candidates, below)) {
    counted.pages += run.pages;
    recent.add(run.firstPage, run.content);
    const piece = encodeRun(run); // a copy: the run's bytes are overwritten while zstd still holds these
    pieces.push(piece);
    bytes += piece.length;
    if (bytes < pieceBytes) continue;
    yield pieces.length === 1 ? piece : Buffer.concat(pieces);
    [pieces, bytes] = [[], 0];
  }
  yield Buffer.concat([...pieces, encodeEnd(counted.pages)]);
}

const compress = promisify(zstdCompress);

/** Compresses a file into another, a small one at once: a stream costs more than the work itself. */
export async function compressFile(source: string, target: string, signal: AbortSignal): Promise<CapturedPart> {
  const { size } = await stat(source);
  if (size > maxUnpackedPieceBytes) return await writeCompressed(createReadStream(source), target, signal);
  const packed = await compress(await readFile(source), compression);
  await writeFile(target, packed, { signal });
  return { path: target, ...contentOf(packed) };
}

/** Compresses a stream into a file and tells what was written. */
export async function writeCompressed(source: Readable, target: string, signal: AbortSignal): Promise<CapturedPart> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const digest = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      done(null, chunk);
    },
  });
  await pipeline(source, createZstdCompress(compression), digest, createWriteStream(target), { signal });
  return { path: target, sizeBytes, sha256: hash.digest('hex') };
}

/**
 * Lays the pages of parts, one part after the other, over a memory file of the right size, and tells which they were.
 * Changed words are those of the base's pages, which the file must hold, and over which nothing may have been laid yet: a
 * part with changed words of a page of an earlier part is `snapshot-corrupt`.
 */
export async function applyMemoryParts(
  parts: readonly string[],
  memoryPath: string,
  memorySizeBytes: number,
  signal: AbortSignal,
): Promise<PageSet> {
  let written = emptyPageSet(memorySizeBytes);
  for (const part of parts) {
    written = unionOf(written, await applyMemoryPart(part, memoryPath, memorySizeBytes, signal, written));
  }
  return written;
}

/** The same with one part over pages that are known. */
export async function applyMemoryPart(
  part: string | AsyncIterable<Buffer>,
  memoryPath: string,
  memorySizeBytes: number,
  signal: AbortSignal,
  below?: PageSet,
): Promise<PageSet> {
  signal.throwIfAborted();
  const written = emptyPageSet(memorySizeBytes);
  const memory = openSync(memoryPath, 'r+');
  const strip = createStrip(memory);
  const lay = (run: PageRun): void => {
    if (run.kind === 'words' && below !== undefined && hasAnyPage(below, run.firstPage, run.pages))
      throw new DormouseError(
        'snapshot-corrupt',
        'a part of the snapshot changes words of a page that has been replaced',
      );
    strip.add(run);
    addPages(written, run.firstPage, run.pages);
  };
  try {
    await forEachRun(part, memorySizeBytes, signal, lay);
    strip.lay();
  } finally {
    closeSync(memory);
  }
  return written;
}

async function forEachRun(
  part: string | AsyncIterable<Buffer>,
  memorySizeBytes: number,
  signal: AbortSignal,
  lay: (run: PageRun) => void,
): Promise<void> {
  if (typeof part === 'string') {
    const recent = takePages(path.basename(part));
    recent?.forEach(lay);
    const piece = recent === undefined ? smallPart(part) : undefined;
    if (piece !== undefined) decodeWhole(piece, memorySizeBytes, lay);
    if (recent !== undefined || piece !== undefined) return;
  }
  await decodeArriving(decompressed(part, signal), memorySizeBytes, lay);
}

/** Up to here a part is read and unpacked in one piece: a stream costs more than the work itself, and a wake waits. */
const maxPieceBytes = 1024 * 1024;
const maxUnpackedPieceBytes = 16 * 1024 * 1024;
/** Most of them in one step, without being joined afterwards. */
const pieceChunkBytes = 4 * 1024 * 1024;

/**
 * Each piece of output is a step through the thread pool: with the default of 16 KiB a golden takes two to three times as
 * long to unpack. Larger pieces than this, or frames that two threads unpack at once, measured no better.
 */
const unpackedChunkBytes = 256 * 1024;

/** Undefined when the part is too large, or is none that can be unpacked at once: then the stream below says why. */
function smallPart(partPath: string): Buffer | undefined {
  if (statSync(partPath).size > maxPieceBytes) return undefined;
  try {
    return zstdDecompressSync(readFileSync(partPath), {
      maxOutputLength: maxUnpackedPieceBytes,
      chunkSize: pieceChunkBytes,
    });
  } catch {
    return undefined;
  }
}

/** A file, or content that arrives while it is being unpacked. */
export async function* decompressed(part: string | AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<Buffer> {
  const output = new PassThrough();
  const source = typeof part === 'string' ? createReadStream(part, { highWaterMark: unpackedChunkBytes }) : part;
  const work = pipeline(source, createZstdDecompress({ chunkSize: unpackedChunkBytes }), output, { signal });
  work.catch(() => undefined); // the reader below sees the same failure
  try {
    for await (const chunk of output) yield chunk as Buffer;
    await work;
  } catch (cause) {
    if (cause instanceof DormouseError || signal.aborted) throw cause;
    throw new DormouseError('snapshot-corrupt', 'a part of the snapshot cannot be decompressed', { cause });
  }
}
