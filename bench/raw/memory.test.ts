import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test } from 'node:test';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { changedPages, compareAll, writePages } from './memory.ts';

const pageBytes = 4096;
const sizeBytes = 300 * pageBytes;

async function files(resources: AsyncDisposableStack): Promise<{ golden: string; memory: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dm-pages-'));
  resources.defer(() => removeTree(folder, path.dirname(folder)));
  const [golden, memory] = [path.join(folder, 'golden'), path.join(folder, 'memory')];
  const contents = Buffer.alloc(sizeBytes, 7);
  await writeFile(golden, contents);
  for (const page of [0, 63, 64, 200, 299]) contents[page * pageBytes + 1] = page % 7; // never 7
  await writeFile(memory, contents);
  return { golden, memory };
}

suite('changed pages', () => {
  test('an exhaustive comparison finds each, and writing them over the golden gives the memory again', async () => {
    await using resources = new AsyncDisposableStack();
    const { golden, memory } = await files(resources);
    const changed = compareAll(memory, golden, sizeBytes);
    assert.deepEqual(changed.pages, [0, 63, 64, 200, 299]);
    const restored = `${memory}.restored`;
    await copyFile(golden, restored);
    writePages(restored, changed);
    assert.ok((await readFile(restored)).equals(await readFile(memory)));
  });

  test('of the candidates, those that differ', async () => {
    await using resources = new AsyncDisposableStack();
    const { golden, memory } = await files(resources);
    // This process maps neither file, so only what is said to have been written counts.
    assert.deepEqual(changedPages(memory, golden, sizeBytes, [process.pid], [1, 63, 200]).pages, [63, 200]);
  });
});
