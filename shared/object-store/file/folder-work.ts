/** What a write and a deletion do in the folder of a store, one system call after the other. */
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { rejectBody } from '../object-body.ts';
import type { ObjectBody } from '../object-store.ts';
import { placeDurably, removeEmptyFolders, syncFolder } from './durable-folder.ts';
import { errnoOf } from './errors.ts';

export interface ObjectWrite {
  readonly root: string;
  readonly file: string;
  /** A new file's name in the same file system; nothing is left of it. */
  readonly temporary: string;
  /** Undefined: the temporary file holds it already. */
  readonly body: ObjectBody | undefined;
  /** A `put` replaces what is there, a `create` does not. */
  readonly mode: 'put' | 'create';
}

/** Names the object in one step: link(2) fails if the name is taken, rename(2) does not. */
export function writeObject({ root, file, temporary, body, mode }: ObjectWrite): 'created' | 'exists' {
  let outcome: 'created' | 'exists' = 'created';
  try {
    if (body !== undefined) writeTemporary(temporary, body);
    placeDurably(file, root, () => {
      if (mode === 'put') renameSync(temporary, file);
      else outcome = linkOnce(temporary, file) ? 'created' : 'exists';
    });
  } catch (error) {
    removeFile(temporary);
    throw error;
  }
  // Where the object is the same file already, as a link may be, a rename changes nothing and leaves both names.
  if (mode === 'create' || body === undefined) removeFile(temporary);
  return outcome;
}

export function removeObject(root: string, file: string): void {
  removeFile(file);
  syncFolder(path.dirname(file));
  removeEmptyFolders(path.dirname(file), root);
}

function removeFile(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/** On a network file system a repeated request can be told EEXIST by its own success: the link count knows. */
function linkOnce(temporary: string, file: string): boolean {
  try {
    linkSync(temporary, file);
    return true;
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    return statSync(temporary).nlink > 1;
  }
}

function writeTemporary(temporary: string, body: ObjectBody): void {
  const bytes = body.kind === 'bytes' ? body.bytes : readBody(body.path, body.sizeBytes);
  const target = openTemporary(temporary);
  try {
    for (let written = 0; written < bytes.length;) written += writeSync(target, bytes, written);
    fdatasyncSync(target);
  } finally {
    closeSync(target);
  }
}

/** Its folder is made when it is missed: somebody may have cleared it away. */
function openTemporary(temporary: string): number {
  try {
    return openSync(temporary, 'wx');
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    mkdirSync(path.dirname(temporary), { recursive: true });
    return openSync(temporary, 'wx');
  }
}

function readBody(file: string, sizeBytes: number): Uint8Array {
  try {
    const source = openSync(file, 'r');
    try {
      const { size } = fstatSync(source);
      if (size !== sizeBytes) throw new Error(`it has ${size} bytes, not ${sizeBytes}`);
      const bytes = Buffer.allocUnsafe(sizeBytes);
      for (let filled = 0; filled < sizeBytes;) {
        const count = readSync(source, bytes, filled, sizeBytes - filled, filled);
        if (count === 0) throw new Error('it became shorter while it was read');
        filled += count;
      }
      return bytes;
    } finally {
      closeSync(source);
    }
  } catch (error) {
    return rejectBody(file, error);
  }
}
