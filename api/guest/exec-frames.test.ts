import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { channels, readFrame, writeFrame } from './exec-frames.ts';

test('a frame of any bytes is understood or not, and nothing is thrown', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const read = readFrame(Buffer.from(bytes));
      const [channel] = bytes;
      const mayBe: (number | undefined)[] = [channels.stdin, channels.resize, channels.close];
      if (!mayBe.includes(channel)) assert.equal(read, undefined);
    }),
  );
});

test('input arrives as it was sent; sizes only within bounds', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      assert.deepEqual(readFrame(writeFrame(channels.stdin, bytes)), { input: Buffer.from(bytes) });
    }),
  );
  fc.assert(
    fc.property(fc.integer(), fc.integer(), (cols, rows) => {
      const read = readFrame(writeFrame(channels.resize, Buffer.from(JSON.stringify({ cols, rows }))));
      const isSize = [cols, rows].every((size) => size >= 1 && size <= 9999);
      assert.deepEqual(read, isSize ? { resize: { columns: cols, rows } } : undefined);
    }),
  );
});
