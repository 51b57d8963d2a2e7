import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeArriving,
  decodeWhole,
  encodeEnd,
  encodeHeader,
  encodeRun,
  maskBytesPerPage,
  pageSizeBytes,
  wordBytes,
  type PageRun,
} from './page-stream.ts';

const memoryPages = 1000;
const sizeBytes = memoryPages * pageSizeBytes;

/** Gaps, lengths and kinds of runs become runs that ascend. */
const someRuns = fc
  .array(fc.tuple(fc.nat(20), fc.integer({ min: 1, max: 5 }), fc.constantFrom('whole', 'words')), { maxLength: 30 })
  .map((list) => {
    let nextPage = 0;
    return list.map(([gap, pages, kind]): PageRun => {
      const firstPage = nextPage + gap;
      nextPage = firstPage + pages;
      if (kind === 'whole') return { kind: 'whole', firstPage, pages, bytes: randomBytes(pages * pageSizeBytes) };
      const mask = Buffer.alloc(pages * maskBytesPerPage);
      for (let word = 0; word < pages * 7; word++) mask[word * 11] = 0b10100000;
      return { kind: 'words', firstPage, pages, mask, words: randomBytes(2 * pages * 7 * wordBytes) };
    });
  });

test('a stream says what was put into it, read as a whole or as it arrives', async () => {
  await fc.assert(
    fc.asyncProperty(someRuns, fc.integer({ min: 1, max: 9000 }), async (runs, pieceBytes) => {
      const pages = runs.reduce((sum, run) => sum + run.pages, 0);
      const stream = Buffer.concat([encodeHeader(sizeBytes, true), ...runs.map(encodeRun), encodeEnd(pages)]);
      const atOnce: PageRun[] = [];
      decodeWhole(stream, sizeBytes, (run) => atOnce.push(run));
      assert.deepEqual(atOnce, runs);
      const arriving: PageRun[] = [];
      await decodeArriving(pieces(stream, pieceBytes), sizeBytes, (run) => arriving.push(run));
      assert.deepEqual(arriving, runs);
    }),
    { numRuns: 40 },
  );
});

// eslint-disable-next-line @typescript-eslint/require-await -- a source of pieces, as a stream is one
async function* pieces(stream: Buffer, pieceBytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < stream.length; at += pieceBytes) yield stream.subarray(at, at + pieceBytes);
}
