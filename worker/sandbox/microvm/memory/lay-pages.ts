/**
 * Puts pages of a part into a memory file. Runs that lie side by side are read and written at once: changed pages have
 * changed neighbours, and a wake waits for each call. Failure: `internal` when the file is shorter than its memory.
 */
import { readSync, writeSync } from 'node:fs';
import { DormouseError } from '../../../../shared/errors/dormouse-error.ts';
import { maxRunPages, pageSizeBytes, wordBytes, type ChangedWords, type PageRun } from './page-stream.ts';

export interface Strip {
  add(run: PageRun): void;
  /** Writes what was added and is not written yet. */
  lay(): void;
}

/** Runs are added in ascending order; at the end the last ones are laid. */
export function createStrip(memory: number): Strip {
  const scratch = Buffer.allocUnsafe(maxRunPages * pageSizeBytes);
  let runs: PageRun[] = [];
  let [firstPage, endPage] = [0, 0];
  const lay = (): void => {
    if (runs.length > 0) layRuns(memory, runs, firstPage, scratch.subarray(0, (endPage - firstPage) * pageSizeBytes));
    runs = [];
  };
  return {
    lay,
    add(run) {
      const fits = run.firstPage === endPage && run.firstPage + run.pages - firstPage <= maxRunPages;
      if (!fits) {
        lay();
        firstPage = run.firstPage;
      }
      runs.push(run);
      endPage = run.firstPage + run.pages;
    },
  };
}

function layRuns(memory: number, runs: readonly PageRun[], firstPage: number, scratch: Buffer): void {
  const at = firstPage * pageSizeBytes;
  const [first] = runs;
  const isPlain = runs.length === 1 && first?.kind === 'whole'; // as most of a golden is
  const content = isPlain ? first.bytes : assembled(memory, runs, firstPage, scratch);
  for (let done = 0; done < content.length;) {
    done += writeSync(memory, content, done, content.length - done, at + done);
  }
}

function assembled(memory: number, runs: readonly PageRun[], firstPage: number, content: Buffer): Buffer {
  const needsBase = runs.some(({ kind }) => kind === 'words');
  if (needsBase && readSync(memory, content, 0, content.length, firstPage * pageSizeBytes) !== content.length)
    throw new DormouseError('internal', 'a memory file ends before its memory does');
  for (const run of runs) {
    const offset = (run.firstPage - firstPage) * pageSizeBytes;
    if (run.kind === 'whole') run.bytes.copy(content, offset);
    else putWords(content.subarray(offset), run);
  }
  return content;
}

function putWords(content: Buffer, { mask, words }: ChangedWords): void {
  let from = 0;
  for (let byte = 0; byte < mask.length; byte++) {
    for (let rest = mask[byte] ?? 0; rest !== 0; rest &= rest - 1) {
      const word = byte * 8 + 31 - Math.clz32(rest & -rest);
      content.writeInt32LE(words.readInt32LE(from), word * wordBytes);
      from += wordBytes;
    }
  }
}
