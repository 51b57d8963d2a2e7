import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { hasPvhEntry, isElf, neededLibraries } from './elf.ts';

const machine = { x64: 62, arm64: 183 }[process.arch as 'x64' | 'arm64'];
const headerBytes = 64;
const segmentBytes = 56;

/** An ELF file of segments, each `[type, address, contents]`, laid out one after the other. */
function elf(...segments: [type: number, address: number, contents: Buffer][]): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeUInt16LE(machine, 18);
  header.writeBigUInt64LE(BigInt(headerBytes), 32);
  header.writeUInt16LE(segmentBytes, 54);
  header.writeUInt16LE(segments.length, 56);
  let offset = headerBytes + segmentBytes * segments.length;
  const entries = segments.map(([type, address, contents]) => {
    const entry = Buffer.alloc(segmentBytes);
    entry.writeUInt32LE(type, 0);
    entry.writeBigUInt64LE(BigInt(offset), 8);
    entry.writeBigUInt64LE(BigInt(address), 16);
    entry.writeBigUInt64LE(BigInt(contents.length), 32);
    offset += contents.length;
    return entry;
  });
  return Buffer.concat([header, ...entries, ...segments.map(([, , contents]) => contents)]);
}

function note(name: string, type: number): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt32LE(name.length + 1, 0);
  header.writeUInt32LE(4, 4);
  header.writeUInt32LE(type, 8);
  return Buffer.concat([
    header,
    Buffer.from(`${name}\0`.padEnd(Math.ceil((name.length + 1) / 4) * 4, '\0')),
    Buffer.alloc(4),
  ]);
}

const pairs = (...values: [number, number][]): Buffer =>
  Buffer.concat(
    values.flat().map((value) => {
      const word = Buffer.alloc(8);
      word.writeBigUInt64LE(BigInt(value));
      return word;
    }),
  );

test('the libraries of a real program', async () => {
  assert.ok(neededLibraries(await readFile(process.execPath)).includes('libc.so.6'));
});

test('names are found where the loader would find them: by address, not by offset', () => {
  const strings = Buffer.from('\0liba.so.1\0libb.so.2\0');
  const address = 0x40_0000;
  const table = pairs([1, 1], [5, address], [1, 11], [0, 0], [1, 1]);
  assert.deepEqual(neededLibraries(elf([1, address, strings], [2, 0x50_0000, table])), ['liba.so.1', 'libb.so.2']);
});

test('a static program needs nothing', () => {
  assert.deepEqual(neededLibraries(elf([1, 0, Buffer.from('code')])), []);
});

test('the PVH note is found among others', () => {
  assert.equal(hasPvhEntry(elf([4, 0, Buffer.concat([note('GNU', 3), note('Linux', 1), note('Xen', 18)])])), true);
  assert.equal(hasPvhEntry(elf([4, 0, Buffer.concat([note('GNU', 18), note('Xen', 5)])])), false);
});

test('what is no 64-bit ELF file is refused', () => {
  const script = Buffer.from('#!/bin/sh\n'.padEnd(100, '#'));
  assert.equal(isElf(script), false);
  for (const file of [script, Buffer.alloc(0)]) {
    assert.throws(() => neededLibraries(file), { code: 'asset-invalid', message: /not a 64-bit/ });
  }
});

test('a string table outside the file is refused', () => {
  const file = elf([2, 0, pairs([1, 1], [5, 0x9999], [0, 0])]);
  assert.throws(() => neededLibraries(file), { code: 'asset-invalid', message: /no segment holds address/ });
});

test('whatever bytes are damaged, it is read or refused', () => {
  const program = elf([4, 0, note('Xen', 18)], [1, 0x1000, Buffer.from('text')], [2, 0x2000, Buffer.alloc(64, 5)]);
  const refusals = (read: () => unknown): void => {
    try {
      read();
    } catch (error) {
      assert.ok(error instanceof DormouseError && error.code === 'asset-invalid', String(error));
    }
  };
  const damage = fc.array(fc.tuple(fc.nat(program.length - 1), fc.nat(255)), { maxLength: 8 });
  fc.assert(
    fc.property(damage, fc.nat(program.length), (bytes, length) => {
      const damaged = Buffer.from(program);
      for (const [at, value] of bytes) damaged[at] = value;
      for (const file of [damaged, damaged.subarray(0, length)]) {
        refusals(() => neededLibraries(file));
        refusals(() => hasPvhEntry(file));
      }
    }),
  );
});
