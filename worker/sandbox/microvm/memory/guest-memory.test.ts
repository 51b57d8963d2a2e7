/**
 * Generations over generations, without a VM: what a guest would write is written into a file, and what its page tables
 * would name is at least that. Real ones are held against all of memory in e2e/changed-pages.test.ts.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import fc from 'fast-check';
import { maxBelow } from '../../../../shared/snapshot/manifest.ts';
import { pagesToCarry } from './guest-memory.ts';
import { applyMemoryParts, writeMemoryPart, type MemoryPart } from './memory-part.ts';
import { addPages, countPages, emptyPageSet, hasPage, type PageSet } from './page-set.ts';
import { pageSizeBytes } from './page-stream.ts';

const signal = AbortSignal.timeout(120_000);
const mebibyte = 1024 * 1024;

const kinds = ['zero', 'one-bit', 'random', 'as-in-the-base', 'only-read'] as const;
interface Write {
  readonly page: number;
  readonly count: number;
  readonly kind: (typeof kinds)[number];
}

/** An actor: its memory, and the chain of parts that it would be restored from. */
interface Actor {
  readonly memory: Buffer;
  readonly base: Buffer;
  chain: string[];
  parts: number;
}

suite('parts on top of each other', () => {
  let folder: string;
  const file = (name: string): string => path.join(folder, name);
  before(async () => (folder = await mkdtemp(path.join(tmpdir(), 'dormouse-chain-'))));
  after(() => rm(folder, { recursive: true }));

  async function newActor(pages: number): Promise<Actor> {
    const base = Buffer.concat([randomBytes((pages / 2) * pageSizeBytes), Buffer.alloc((pages / 2) * pageSizeBytes)]);
    await writeFile(file('base'), base);
    return { memory: Buffer.from(base), base, chain: [], parts: 0 };
  }

  /** As a guest does it; the result is what page tables name of it. */
  function run({ memory, base }: Actor, writes: readonly Write[]): PageSet {
    const touched = emptyPageSet(memory.length);
    for (const { page, count, kind } of writes) {
      const [start, end] = [page * pageSizeBytes, Math.min(memory.length, (page + count) * pageSizeBytes)];
      addPages(touched, page, count);
      if (kind === 'zero') memory.fill(0, start, end);
      else if (kind === 'random') randomBytes(end - start).copy(memory, start);
      else if (kind === 'as-in-the-base') base.copy(memory, start, start, end);
      else if (kind === 'one-bit') for (let at = start; at < end; at += pageSizeBytes) memory.writeUInt8(1, at);
    }
    return touched;
  }

  /** Restores the actor from its chain: the memory must be what it was, byte for byte. */
  async function restored(actor: Actor): Promise<PageSet> {
    await writeFile(file('rebuilt'), actor.base);
    const laidOver = await applyMemoryParts(actor.chain, file('rebuilt'), actor.memory.length, signal);
    assert.ok((await readFile(file('rebuilt'))).equals(actor.memory), `after ${actor.chain.length} parts`);
    return laidOver;
  }

  async function suspended(actor: Actor, laidOver: PageSet, touched: PageSet): Promise<MemoryPart> {
    await writeFile(file('memory'), actor.memory);
    const mayLieOnTop = actor.chain.length > 0 && actor.chain.length <= maxBelow;
    const pages = pagesToCarry(laidOver, touched, mayLieOnTop);
    const target = file(`part-${actor.parts++}`);
    const memory = { memoryPath: file('memory'), memorySizeBytes: actor.memory.length, basePath: file('base') };
    const part = await writeMemoryPart({ ...memory, ...pages }, target, signal);
    actor.chain = [...(pages.below === undefined ? [] : actor.chain), target];
    return part;
  }

  test('whatever is written over whichever generations, each is restored byte for byte, and chains stay short', async () => {
    const pages = 2400;
    const write = fc.record({
      page: fc.nat(pages - 1),
      count: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 1, max: 20 }) }, fc.constantFrom(300, 900)),
      kind: fc.constantFrom(...kinds),
    });
    const life = fc.array(fc.array(write, { maxLength: 12 }), { minLength: 4, maxLength: 8 });
    let onTop = 0;
    await fc.assert(
      fc.asyncProperty(life, async (generations) => {
        const actor = await newActor(pages);
        const large: Write[] = [{ page: 100, count: 1500, kind: 'random' }];
        for (const writes of [large, ...generations]) {
          const laidOver = await restored(actor);
          await suspended(actor, laidOver, run(actor, writes));
          assert.ok(actor.chain.length <= maxBelow + 1);
          if (actor.chain.length > 1) onTop++;
        }
        const laidOver = await restored(actor);
        for (let at = 0; at < actor.memory.length; at += pageSizeBytes) {
          const isSame = actor.memory.compare(actor.base, at, at + pageSizeBytes, at, at + pageSizeBytes) === 0;
          assert.ok(isSame || hasPage(laidOver, at / pageSizeBytes), 'a page that differs is in some part');
        }
      }),
      { numRuns: 12 },
    );
    assert.ok(onTop > 0, 'some lay on top');
  });

  test('after 64 MiB were written once, a generation that writes 1 MiB ships 1 MiB; one that writes most of it begins anew', async () => {
    const actor = await newActor((96 * mebibyte) / pageSizeBytes);
    const first = 64 * mebibyte;
    const whole = await suspended(
      actor,
      emptyPageSet(actor.memory.length),
      run(actor, [{ page: 0, count: first / pageSizeBytes, kind: 'random' }]),
    );
    assert.ok(whole.sizeBytes > first);
    for (let generation = 1; generation <= maxBelow; generation++) {
      const laidOver = await restored(actor);
      const touched = run(actor, [{ page: 1000 * generation, count: mebibyte / pageSizeBytes, kind: 'random' }]);
      const part = await suspended(actor, laidOver, touched);
      assert.equal(actor.chain.length, generation + 1);
      assert.equal(part.pageCount, mebibyte / pageSizeBytes);
      assert.ok(part.sizeBytes < 1.01 * mebibyte, `${part.sizeBytes}`);
    }
    const laidOver = await restored(actor);
    assert.ok(countPages(laidOver) >= first / pageSizeBytes);
    await suspended(actor, laidOver, run(actor, [{ page: 5, count: 1, kind: 'random' }]));
    assert.equal(actor.chain.length, 1, 'a full chain is begun anew');
    const again = await restored(actor);
    const most = run(actor, [{ page: 0, count: (40 * mebibyte) / pageSizeBytes, kind: 'one-bit' }]);
    await suspended(actor, again, most);
    assert.equal(actor.chain.length, 1, 'most of it changed');
    await restored(actor);
  });

  test('a difference from a page that an earlier part has replaced is damage, never laid over it', async () => {
    const actor = await newActor(2400);
    await suspended(actor, emptyPageSet(actor.memory.length), run(actor, [{ page: 7, count: 1, kind: 'one-bit' }]));
    const [difference = ''] = actor.chain;
    await writeFile(file('rebuilt'), actor.base);
    await assert.rejects(applyMemoryParts([difference, difference], file('rebuilt'), actor.memory.length, signal), {
      code: 'snapshot-corrupt',
    });
  });

  test('a part that is cut, or is of another memory, ends the restore', async () => {
    const actor = await newActor(2400);
    await suspended(actor, emptyPageSet(actor.memory.length), run(actor, [{ page: 0, count: 1500, kind: 'random' }]));
    await suspended(actor, await restored(actor), run(actor, [{ page: 3, count: 2, kind: 'random' }]));
    const [whole = '', top = ''] = actor.chain;
    await using handle = await open(top, 'r+');
    await handle.truncate((await handle.stat()).size - 9);
    await writeFile(file('rebuilt'), actor.base);
    await assert.rejects(applyMemoryParts([whole, top], file('rebuilt'), actor.memory.length, signal), {
      code: 'snapshot-corrupt',
    });
  });
});
