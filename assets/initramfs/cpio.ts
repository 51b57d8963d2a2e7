/**
 * A writer (and, for tests and inspection, a reader) of the `newc` cpio format that the kernel unpacks as its initramfs.
 *
 * The archive is a function of its entries alone: sorted by path, with times, owners and inode numbers fixed, so that the
 * same contents give the same bytes on any machine. Format: Documentation/driver-api/early-userspace/buffer-format.rst.
 */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';

export type CpioEntry =
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number }
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly content: Uint8Array }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | {
      readonly kind: 'device';
      readonly path: string;
      readonly mode: number;
      readonly device: readonly [number, number];
    };

const typeBits = { directory: 0o040000, file: 0o100000, link: 0o120000, device: 0o020000 } as const;
const headerBytes = 110;
const magic = '070701';
const trailer = 'TRAILER!!!';

export function writeCpio(entries: readonly CpioEntry[]): Buffer {
  const sorted = [...entries].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  refuseBadPaths(sorted);
  const records = sorted.map((entry, index) => record(entry, index + 1));
  return Buffer.concat([...records.flat(), ...rawRecord(trailer, 0, 0, [0, 0], new Uint8Array())]);
}

function refuseBadPaths(sorted: readonly CpioEntry[]): void {
  sorted.forEach((entry, index) => {
    const repeated = sorted[index - 1]?.path === entry.path;
    if (repeated || entry.path === '' || entry.path.startsWith('/') || entry.path === trailer) {
      throw new DormouseError(
        'internal',
        `an initramfs cannot hold the path '${entry.path}'${repeated ? ' twice' : ''}`,
      );
    }
  });
}

function record(entry: CpioEntry, inode: number): Uint8Array[] {
  const permissions = entry.kind === 'link' ? 0o777 : entry.mode;
  const device = entry.kind === 'device' ? entry.device : ([0, 0] as const);
  return rawRecord(entry.path, inode, typeBits[entry.kind] | permissions, device, body(entry));
}

function body(entry: CpioEntry): Uint8Array {
  if (entry.kind === 'file') return entry.content;
  return entry.kind === 'link' ? Buffer.from(entry.target) : new Uint8Array();
}

/** Field order: ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check. */
function rawRecord(
  path: string,
  inode: number,
  mode: number,
  device: readonly [number, number],
  content: Uint8Array,
): Uint8Array[] {
  const name = Buffer.from(`${path}\0`);
  const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, device[0], device[1], name.length, 0];
  const header = Buffer.from(magic + fields.map((field) => field.toString(16).padStart(8, '0')).join(''));
  return [header, name, padding(headerBytes + name.length), content, padding(content.length)];
}

const padding = (length: number): Uint8Array => new Uint8Array((4 - (length % 4)) % 4);

/** Paths, modes and contents of an archive, in its order. */
export function readCpio(archive: Buffer): { path: string; mode: number; content: Buffer }[] {
  const entries = [];
  for (let offset = 0; ;) {
    const field = (index: number): number =>
      parseInt(archive.toString('ascii', offset + 6 + 8 * index, offset + 14 + 8 * index), 16);
    if (archive.toString('ascii', offset, offset + 6) !== magic) {
      throw new DormouseError('asset-invalid', `no cpio header at byte ${offset}`);
    }
    const nameEnd = offset + headerBytes + field(11);
    const path = archive.toString('utf8', offset + headerBytes, nameEnd - 1);
    if (path === trailer) return entries;
    const start = Math.ceil(nameEnd / 4) * 4;
    entries.push({ path, mode: field(1), content: archive.subarray(start, start + field(6)) });
    offset = Math.ceil((start + field(6)) / 4) * 4;
  }
}
