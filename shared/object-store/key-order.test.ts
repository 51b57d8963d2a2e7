import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inKeyOrder } from './key-order.ts';
import type { ObjectInfo } from './object-store.ts';

const object = (key: string): ObjectInfo => ({ key, sizeBytes: 1 });
async function* listing(keys: readonly string[], onGiven: (key: string) => void = () => undefined) {
  for (const key of keys) {
    onGiven(key);
    yield await Promise.resolve(object(key));
  }
}
const ordered = async (keys: readonly string[], prefix: string): Promise<string[]> =>
  (await Array.fromAsync(inKeyOrder(listing(keys), prefix))).map(({ key }) => key);

/** As a server does that keeps a folder's entries by their bare names. */
function folderOrder(a: string, b: string): number {
  const [left, right] = [a.split('/'), b.split('/')];
  const at = left.findIndex((name, index) => name !== right[index]);
  return (left[at] ?? '') < (right[at] ?? '') ? -1 : 1;
}

const name = fc.string({ unit: fc.constantFrom('a', 'b', '-', '.', '0', '='), minLength: 1, maxLength: 3 });
const keys = fc
  .uniqueArray(fc.array(name, { minLength: 1, maxLength: 4 }), { selector: (names) => names.join('/'), maxLength: 40 })
  // No key is the folder of another.
  .map((all) => all.map((names) => names.join('/')))
  .map((all) => all.filter((key) => !all.some((other) => other.startsWith(`${key}/`))));

test('whatever lies in folders comes in key order, from either order', async () => {
  await fc.assert(
    fc.asyncProperty(keys, fc.constantFrom('', 'prefix/'), async (some, prefix) => {
      const below = some.map((key) => prefix + key);
      assert.deepEqual(await ordered(below.toSorted(folderOrder), prefix), below.toSorted());
      assert.deepEqual(await ordered(below.toSorted(), prefix), below.toSorted());
    }),
    { numRuns: 500 },
  );
});

test('a folder of files is passed on as it comes', async () => {
  const given: string[] = [];
  const files = ['log/1.json', 'log/2.json', 'log/3.json'];
  for await (const { key } of inKeyOrder(
    listing(files, (it) => given.push(it)),
    'log/',
  )) {
    assert.equal(key, 'log/1.json');
    break;
  }
  assert.deepEqual(given, ['log/1.json', 'log/2.json']);
});
