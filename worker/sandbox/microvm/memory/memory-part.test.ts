import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { tmpdir } from 'node:os';
import { after, before, suite, test } from 'node:test';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { DormouseError } from '../../../../shared/errors/dormouse-error.ts';
import { decompressFile } from './decompress-file.ts';
import { applyMemoryPart, writeMemoryPart } from './memory-part.ts';
import { addPages, emptyPageSet, rangesOf } from './page-set.ts';
import { encodeHeader, encodeRunHeader, pageSizeBytes } from './page-stream.ts';

const pages = 600;
const sizeBytes = pages * pageSizeBytes;
const signal = AbortSignal.timeout(60_000);

suite('memory part', () => {
  let folder: string;
  const file = (name: string): string => path.join(folder, name);
  before(async () => (folder = await mkdtemp(path.join(tmpdir(), 'dormouse-memory-'))));
  after(() => rm(folder, { recursive: true }));

  test('whatever pages change, the part carries exactly them and rebuilds the memory', async () => {
    const base = Buffer.concat([randomBytes(sizeBytes / 2), Buffer.alloc(sizeBytes / 2)]);
    await writeFile(file('base'), base);
    const change = fc.tuple(fc.nat(pages - 1), fc.constantFrom('zero', 'one-bit', 'random'));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 40 }), async (changes) => {
        const memory = Buffer.from(base);
        for (const [page, kind] of changes) {
          const slice = memory.subarray(page * pageSizeBytes, (page + 1) * pageSizeBytes);
          if (kind === 'zero') slice.fill(0);
          else if (kind === 'random') randomBytes(pageSizeBytes).copy(slice);
          else slice[page % pageSizeBytes] = (slice[page % pageSizeBytes] ?? 0) ^ 1;
        }
        await writeFile(file('memory'), memory);
        const part = await writeMemoryPart(
          { memoryPath: file('memory'), memorySizeBytes: sizeBytes, basePath: file('base') },
          file('part'),
          signal,
        );
        let expected = 0;
        for (let at = 0; at < sizeBytes; at += pageSizeBytes) {
          if (!memory.subarray(at, at + pageSizeBytes).equals(base.subarray(at, at + pageSizeBytes))) expected++;
        }
        assert.equal(part.pageCount, expected);
        await writeFile(file('rebuilt'), base);
        await applyMemoryPart(file('part'), file('rebuilt'), sizeBytes, signal);
        assert.ok((await readFile(file('rebuilt'))).equals(memory));
      }),
      { numRuns: 25 },
    );
  });

  test('among candidates exactly those that differ are carried, and the others are taken for the base', async () => {
    const base = randomBytes(sizeBytes);
    const memory = Buffer.from(base);
    const candidates = emptyPageSet(sizeBytes);
    for (const page of [0, 7, 8, 255, 256, 599]) {
      addPages(candidates, page);
      if (page !== 8) memory[page * pageSizeBytes] = (memory[page * pageSizeBytes] ?? 0) ^ 1;
    }
    await Promise.all([writeFile(file('base'), base), writeFile(file('memory'), memory)]);
    await writeFile(file('rebuilt'), base);
    const source = { memoryPath: file('memory'), memorySizeBytes: sizeBytes, basePath: file('base'), candidates };
    const part = await writeMemoryPart(source, file('part'), signal);
    assert.deepEqual([part.pageCount, part.comparedPages], [5, 6]);
    assert.ok(part.sizeBytes < pageSizeBytes, 'a page of which little changed costs little, whatever it holds');
    const laidOver = await applyMemoryPart(file('part'), file('rebuilt'), sizeBytes, signal);
    assert.ok((await readFile(file('rebuilt'))).equals(memory));
    assert.deepEqual(
      [...rangesOf(laidOver, sizeBytes, 1)].map(({ first }) => first),
      [0, 7, 255, 256, 599],
    );
  });

  test('a part that was written just now is laid from memory once, and from its file after that, with the same result', async () => {
    const base = randomBytes(sizeBytes);
    const memory = Buffer.from(base);
    for (let page = 0; page < pages; page += 3) memory[page * pageSizeBytes + page] = 0;
    memory.fill(7, 100 * pageSizeBytes, 120 * pageSizeBytes);
    await Promise.all([writeFile(file('base'), base), writeFile(file('memory'), memory)]);
    const source = { memoryPath: file('memory'), memorySizeBytes: sizeBytes, basePath: file('base') };
    const { sha256 } = await writeMemoryPart(source, file('part'), signal);
    await rename(file('part'), file(sha256)); // as a node keeps it
    const packed = await readFile(file(sha256));
    await writeFile(file(sha256), 'not read');
    const laid: Buffer[] = [];
    for (const onDisk of [undefined, packed]) {
      if (onDisk !== undefined) await writeFile(file(sha256), onDisk);
      await writeFile(file('rebuilt'), base);
      const written = await applyMemoryPart(file(sha256), file('rebuilt'), sizeBytes, signal);
      laid.push(Buffer.from(written.bits));
      assert.ok((await readFile(file('rebuilt'))).equals(memory));
    }
    assert.deepEqual(laid[0], laid[1]);
  });

  test('without a base every page that is not zero is carried', async () => {
    const memory = Buffer.alloc(sizeBytes);
    memory[5 * pageSizeBytes] = 1;
    memory.fill(7, 300 * pageSizeBytes);
    await writeFile(file('memory'), memory);
    const part = await writeMemoryPart(
      { memoryPath: file('memory'), memorySizeBytes: sizeBytes },
      file('part'),
      signal,
    );
    assert.equal(part.pageCount, 1 + 300);
    await writeFile(file('rebuilt'), Buffer.alloc(sizeBytes));
    await applyMemoryPart(file('part'), file('rebuilt'), sizeBytes, signal);
    assert.ok((await readFile(file('rebuilt'))).equals(memory));
  });

  test('a damaged part is refused, whatever is damaged', async () => {
    const memory = randomBytes(sizeBytes);
    await writeFile(file('memory'), memory);
    await writeMemoryPart({ memoryPath: file('memory'), memorySizeBytes: sizeBytes }, file('part'), signal);
    const raw = zstdDecompressSync(await readFile(file('part')));
    const damaged: Record<string, Buffer> = {
      'not zstd': randomBytes(1000),
      'wrong mark': zstdCompressSync(Buffer.concat([Buffer.from('DMPAGES9'), raw.subarray(8)])),
      'cut short': zstdCompressSync(raw.subarray(0, raw.length - 5000)),
      'without its end': zstdCompressSync(raw.subarray(0, raw.length - 8)),
      'longer than its end': zstdCompressSync(Buffer.concat([raw, Buffer.from('x')])),
      'cut zstd': (await readFile(file('part'))).subarray(0, 4000),
    };
    const beyond = Buffer.from(raw);
    beyond.writeUInt32LE(pages, 16);
    damaged['a run beyond the memory'] = zstdCompressSync(beyond);
    const unexpected = Buffer.from(raw);
    unexpected.writeUInt32LE(0x80000001, 20); // the second kind of run
    damaged['changed words in a stream that has none'] = zstdCompressSync(unexpected);
    for (const [what, bytes] of Object.entries(damaged)) {
      await writeFile(file('damaged'), bytes);
      await writeFile(file('rebuilt'), Buffer.alloc(sizeBytes));
      await assert.rejects(
        applyMemoryPart(file('damaged'), file('rebuilt'), sizeBytes, signal),
        (error) => error instanceof DormouseError && error.code === 'snapshot-corrupt',
        what,
      );
    }
    await assert.rejects(applyMemoryPart(file('part'), file('memory'), sizeBytes * 2, signal), /is for/);
  });

  test('a small part that unpacks without end is refused', async () => {
    await writeFile(file('bomb'), zstdCompressSync(Buffer.alloc(8 * 1024 * 1024)));
    await decompressFile(file('bomb'), file('unpacked'), signal, 8 * 1024 * 1024);
    await assert.rejects(decompressFile(file('bomb'), file('unpacked'), signal, 8 * 1024 * 1024 - 1), {
      code: 'snapshot-corrupt',
    });
  });

  test('no stream of pages, whatever it holds, writes outside the memory or is more than a refusal of ours', async () => {
    await writeFile(file('rebuilt'), Buffer.alloc(sizeBytes));
    const number = fc.oneof(fc.nat({ max: 300 }), fc.constantFrom(0xffffffff, 0xfffffffe, 0x80000000));
    const runs = fc.array(fc.tuple(number, number, fc.nat({ max: 2 * pageSizeBytes })), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(runs, async (some) => {
        const pieces = some.map(([first, count, bytes]) =>
          Buffer.concat([encodeRunHeader(first, count), randomBytes(bytes)]),
        );
        await writeFile(file('forged'), zstdCompressSync(Buffer.concat([encodeHeader(sizeBytes, true), ...pieces])));
        await applyMemoryPart(file('forged'), file('rebuilt'), sizeBytes, signal).catch((error: unknown) => {
          assert.ok(error instanceof DormouseError && error.code === 'snapshot-corrupt', String(error));
        });
        assert.equal((await readFile(file('rebuilt'))).length, sizeBytes);
      }),
      { numRuns: 60 },
    );
  });
});
