import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCpio, writeCpio, type CpioEntry } from './cpio.ts';

const entries: CpioEntry[] = [
  { kind: 'directory', path: 'dev', mode: 0o755 },
  { kind: 'device', path: 'dev/console', mode: 0o600, device: [5, 1] },
  { kind: 'file', path: 'etc/rc', mode: 0o755, content: Buffer.from('odd') },
  { kind: 'link', path: 'init', target: 'usr/bin/busybox' },
  { kind: 'file', path: 'empty', mode: 0o644, content: Buffer.alloc(0) },
];

test('what was written is read again, sorted', () => {
  const read = readCpio(writeCpio(entries)).map(({ path, mode, content }) => [path, mode, content.toString()]);
  assert.deepEqual(read, [
    ['dev', 0o040755, ''],
    ['dev/console', 0o020600, ''],
    ['empty', 0o100644, ''],
    ['etc/rc', 0o100755, 'odd'],
    ['init', 0o120777, 'usr/bin/busybox'],
  ]);
});

test('the order of the entries does not matter', () => {
  assert.deepEqual(writeCpio(entries.toReversed()), writeCpio(entries));
});

test('the format: headers of 13 fields, everything on four bytes, no time, no owner', () => {
  const archive = writeCpio([{ kind: 'file', path: 'a', mode: 0o644, content: Buffer.from('xyz') }]);
  const fields = ['1', '81a4', '0', '0', '1', '0', '3', '0', '0', '0', '0', '2', '0'];
  const header = `070701${fields.map((field) => field.padStart(8, '0')).join('')}`;
  assert.equal(archive.toString('latin1', 0, 116), `${header}a\0xyz\0`);
  assert.equal(archive.length % 4, 0);
  assert.match(archive.toString('latin1', 116), /^070701.*TRAILER!!!\0+$/);
});

test('device numbers stand in the header', () => {
  const archive = writeCpio([{ kind: 'device', path: 'c', mode: 0o600, device: [5, 1] }]);
  assert.equal(archive.toString('latin1', 6 + 8 * 9, 6 + 8 * 11), '0000000500000001');
});

for (const path of ['', '/absolute', 'TRAILER!!!']) {
  test(`the path '${path}' is refused`, () => {
    assert.throws(() => writeCpio([{ kind: 'directory', path, mode: 0o755 }]), /cannot hold the path/);
  });
}

test('a path that comes twice is refused', () => {
  const twice: CpioEntry[] = [...entries, { kind: 'directory', path: 'init', mode: 0o755 }];
  assert.throws(() => writeCpio(twice), /'init' twice/);
});

test('a cut archive is refused', () => {
  assert.throws(() => readCpio(writeCpio(entries).subarray(0, 130)), { code: 'asset-invalid' });
});
