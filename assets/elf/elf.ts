/**
 * Just enough of the ELF format (64-bit, little-endian: amd64 and arm64): the libraries a program needs, and whether a
 * kernel carries the note that lets a VMM start it directly. A file that is not such an ELF is `asset-invalid`.
 */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly sizeBytes: number;
}

const loadable = 1;
const dynamic = 2;
const note = 4;
const tagEnd = 0;
const tagNeeded = 1;
const tagStringTable = 5;
/** XEN_ELFNOTE_PHYS32_ENTRY: the entry point of the PVH boot protocol (xen/include/public/elfnote.h). */
const pvhEntryNote = 18;

export const isElf = (file: Buffer): boolean => file.length > 64 && file.readUInt32BE(0) === 0x7f454c46;

/** The DT_NEEDED names, in order; empty for a static program. */
export const neededLibraries = (file: Buffer): string[] => whole(() => librariesIn(file));

function librariesIn(file: Buffer): string[] {
  const all = segments(file);
  const table = all.find((segment) => segment.type === dynamic);
  if (table === undefined) return [];
  const entries = dynamicEntries(file, table);
  const strings = entries.find(([tag]) => tag === tagStringTable)?.[1];
  if (strings === undefined) throw invalid('a dynamic section without a string table');
  const base = fileOffset(all, strings);
  return entries.filter(([tag]) => tag === tagNeeded).map(([, offset]) => cString(file, base + offset));
}

/** Whether a kernel can be started by the PVH protocol, uncompressed and without firmware. */
export const hasPvhEntry = (file: Buffer): boolean =>
  whole(() =>
    segments(file)
      .filter((segment) => segment.type === note)
      .some((segment) => noteTypes(file, segment).includes(`Xen ${pvhEntryNote}`)),
  );

/** A table that points out of the file is a read beyond its end. */
function whole<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof RangeError) throw invalid('it points beyond its end');
    throw cause;
  }
}

function segments(file: Buffer): Segment[] {
  if (!isElf(file) || file[4] !== 2 || file[5] !== 1) throw invalid('not a 64-bit little-endian ELF file');
  const start = Number(file.readBigUInt64LE(32));
  const entryBytes = file.readUInt16LE(54);
  return Array.from({ length: file.readUInt16LE(56) }, (_, index) => {
    const at = start + index * entryBytes;
    return {
      type: file.readUInt32LE(at),
      offset: Number(file.readBigUInt64LE(at + 8)),
      address: Number(file.readBigUInt64LE(at + 16)),
      sizeBytes: Number(file.readBigUInt64LE(at + 32)),
    };
  });
}

function dynamicEntries(file: Buffer, table: Segment): [tag: number, value: number][] {
  const entries: [number, number][] = [];
  for (let at = table.offset; at < table.offset + table.sizeBytes; at += 16) {
    const tag = Number(file.readBigInt64LE(at));
    if (tag === tagEnd) break;
    entries.push([tag, Number(file.readBigUInt64LE(at + 8))]);
  }
  return entries;
}

function fileOffset(all: readonly Segment[], address: number): number {
  const segment = all.find(
    ({ type, address: start, sizeBytes }) => type === loadable && address >= start && address < start + sizeBytes,
  );
  if (segment === undefined) throw invalid(`no segment holds address ${address}`);
  return address - segment.address + segment.offset;
}

function noteTypes(file: Buffer, segment: Segment): string[] {
  const types: string[] = [];
  const align = (length: number): number => Math.ceil(length / 4) * 4;
  for (let at = segment.offset; at < segment.offset + segment.sizeBytes;) {
    const nameBytes = file.readUInt32LE(at);
    types.push(`${cString(file, at + 12)} ${file.readUInt32LE(at + 8)}`);
    at += 12 + align(nameBytes) + align(file.readUInt32LE(at + 4));
  }
  return types;
}

const cString = (file: Buffer, at: number): string => file.toString('utf8', at, file.indexOf(0, at));

const invalid = (reason: string): DormouseError => new DormouseError('asset-invalid', `unreadable ELF file: ${reason}`);
