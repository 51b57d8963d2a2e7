import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addPages, countPages, emptyPageSet, hasPage, rangesOf, unionOf } from './page-set.ts';
import { pageSizeBytes } from './page-stream.ts';

const pageCount = 61; // no multiple of eight
const sizeBytes = pageCount * pageSizeBytes;
const pages = fc.array(fc.nat(pageCount - 1), { maxLength: 30 });

const setOf = (numbers: readonly number[]) => {
  const set = emptyPageSet(sizeBytes);
  for (const page of numbers) addPages(set, page);
  return set;
};

test('a set holds what was added, a union both, and its ranges are each page once and in order', () => {
  fc.assert(
    fc.property(pages, pages, fc.integer({ min: 1, max: 9 }), (some, others, maxCount) => {
      const expected = [...new Set([...some, ...others])].sort((a, b) => a - b);
      const union = unionOf(setOf(some), setOf(others));
      assert.equal(countPages(union), expected.length);
      assert.ok(expected.every((page) => hasPage(union, page)));
      const ranges = [...rangesOf(union, sizeBytes, maxCount)];
      assert.ok(ranges.every(({ count }) => count <= maxCount));
      const listed = ranges.flatMap(({ first, count }) => Array.from({ length: count }, (_, index) => first + index));
      assert.deepEqual(listed, expected);
    }),
  );
});

test('without a set the ranges are all of the memory; pages beyond it are not added', () => {
  const all = [...rangesOf(undefined, sizeBytes, 50)];
  assert.deepEqual(all, [
    { first: 0, count: 50 },
    { first: 50, count: 11 },
  ]);
  const set = emptyPageSet(sizeBytes);
  addPages(set, pageCount - 1, 100);
  assert.equal(countPages(set), 1);
});
