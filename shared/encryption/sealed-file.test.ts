import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, suite, test } from 'node:test';
import fc from 'fast-check';
import { newDataKey, openSealedFile, sealFile, type Seal } from './sealed-file.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-sealed-'));
after(() => rmSync(folder, { recursive: true }));
const [plain, sealed, opened] = ['plain', 'sealed', 'opened'].map((name) => path.join(folder, name)) as [
  string,
  string,
  string,
];
const signal = AbortSignal.timeout(60_000);
const KiB = 1024;
const chunk = 256 * KiB;
const frame = chunk + 16;
const markBytes = 8;

async function seal(content: Uint8Array, objectKey = 'actors/a/memory'): Promise<Seal> {
  const own = { dataKey: newDataKey(), objectKey };
  await writeFile(plain, content);
  const told = await sealFile(plain, sealed, own, signal);
  assert.equal(told.sizeBytes, (await stat(sealed)).size);
  return own;
}

async function opens(bytes: Uint8Array, own: Seal): Promise<Buffer> {
  await writeFile(sealed, bytes);
  await openSealedFile(sealed, opened, own, signal);
  return readFile(opened);
}

async function refuses(bytes: Uint8Array, own: Seal, what: string): Promise<void> {
  await assert.rejects(opens(bytes, own), { code: 'snapshot-corrupt' }, what);
  await assert.rejects(stat(opened), { code: 'ENOENT' }, `${what}: a file was left`);
}

suite('sealed files', () => {
  for (const size of [0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk, 3 * chunk + 7]) {
    test(`${size} bytes open as they were sealed, and show nothing of it while sealed`, async () => {
      const content = Buffer.alloc(size, 'the secret of the dormouse ');
      const own = await seal(content);
      const bytes = await readFile(sealed);
      assert.equal(bytes.length, markBytes + size + 16 * Math.max(1, Math.ceil(size / chunk)));
      assert.equal(bytes.includes('secret'), false);
      assert.ok((await opens(bytes, own)).equals(content));
    });
  }

  test('pieces that are missing, swapped, repeated or added do not open', async () => {
    const own = await seal(randomBytes(3 * chunk));
    const bytes = await readFile(sealed);
    const mark = bytes.subarray(0, markBytes);
    const frames = [0, 1, 2].map((index) => bytes.subarray(markBytes + index * frame, markBytes + (index + 1) * frame));
    const built = (...order: number[]): Buffer => Buffer.concat([mark, ...order.map((index) => frames[index] ?? mark)]);
    assert.ok((await opens(built(0, 1, 2), own)).length === 3 * chunk);
    for (const order of [[], [0], [0, 1], [1, 2], [0, 2, 1], [1, 0, 2], [0, 1, 1], [0, 1, 2, 2], [2], [0, 0, 1, 2]]) {
      await refuses(built(...order), own, `frames ${order.join()}`);
    }
    await refuses(Buffer.concat([bytes, Buffer.alloc(1)]), own, 'a byte more');
    await refuses(frames[0] ?? mark, own, 'without its mark');
    await refuses(Buffer.alloc(0), own, 'nothing');
  });

  test('an object does not open in the place of another, nor with the key of another', async () => {
    const own = await seal(randomBytes(1000), 'actors/a/memory');
    const bytes = await readFile(sealed);
    await refuses(bytes, { ...own, objectKey: 'actors/b/memory' }, 'another place');
    await refuses(bytes, { ...own, dataKey: newDataKey() }, 'another key');
  });

  test('whatever is cut off or changed anywhere, it does not open', async () => {
    const own = await seal(randomBytes(chunk + 5000));
    const bytes = await readFile(sealed);
    const place = fc.nat({ max: bytes.length - 1 });
    await fc.assert(
      fc.asyncProperty(place, fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ flip;
        await refuses(changed, own, `byte ${at} changed`);
        await refuses(bytes.subarray(0, at), own, `cut at ${at}`);
      }),
      { numRuns: 60 },
    );
  });

  test('equal files have nothing in common once sealed', async () => {
    const content = Buffer.alloc(100_000);
    await seal(content);
    const first = await readFile(sealed);
    await seal(content);
    const second = await readFile(sealed);
    assert.ok(!first.subarray(markBytes, markBytes + 64).equals(second.subarray(markBytes, markBytes + 64)));
  });
});
