import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageSizeBytes } from './page-stream.ts';
import { collectPages, takePages } from './recent-pages.ts';

const mebibyte = 1024 * 1024;

function keep(name: string, sizeBytes: number): void {
  const collector = collectPages();
  for (let at = 0; at < sizeBytes; at += mebibyte) collector.add(at / pageSizeBytes, Buffer.alloc(mebibyte));
  collector.keepAs(name);
}

test('pages are kept until they are taken, once', () => {
  const window = Buffer.alloc(2 * pageSizeBytes, 1);
  const collector = collectPages();
  collector.add(7, window);
  window.fill(2);
  collector.add(9, window.subarray(pageSizeBytes));
  collector.keepAs('one');
  const runs = takePages('one') ?? [];
  assert.deepEqual(
    runs.map(({ firstPage, pages, bytes }) => [firstPage, pages, bytes[0]]),
    [
      [7, 2, 1],
      [9, 1, 2],
    ],
  );
  assert.equal(takePages('one'), undefined);
});

test('the oldest make room, and what is too large is not kept', () => {
  for (let part = 0; part < 20; part++) keep(String(part), 2 * mebibyte);
  keep('large', 9 * mebibyte);
  const found = Array.from({ length: 20 }, (_, part) => takePages(String(part)) !== undefined);
  assert.deepEqual(
    found,
    found.map((_, part) => part >= 4),
  );
  assert.equal(takePages('large'), undefined);
});
