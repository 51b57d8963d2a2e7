/**
 * A folder as object store: one file per object, `<root>/<key>`. Any number of processes may use it at once.
 *
 * A write goes to a file of its own in `<root>/.tmp/`, is synced, and then gets its name in one step: link(2) for
 * `create`, which fails if the name is taken, rename(2) for `put`; then the folders are synced. So an object is whole or
 * not there, and after a crash at any point at most a temporary file is left (temporary-files.ts removes it).
 */
import { createReadStream } from 'node:fs';
import { link, mkdir, open, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { checkStore } from '../check-store.ts';
import { DormouseError } from '../../errors/dormouse-error.ts';
import { assertKey, assertPrefix } from '../key.ts';
import { bodyPieces, bodySize, openBody, rejectBody } from '../object-body.ts';
import type { ByteRange, CallOptions, ObjectBody, ObjectInfo, ObjectRange, ObjectStore } from '../object-store.ts';
import { defaultMaxBytes, refuseLarger } from '../read-bound.ts';
import { receiveFile, writeAll } from '../receive-file.ts';
import { callStore, type StoreCall } from '../store-call.ts';
import type { StoreLimits } from '../store-limits.ts';
import type { FileUrl } from '../store-url.ts';
import { errnoOf, translateFileError } from './errors.ts';
import { makeRootInThread, removeInThread, writeInThread } from './folder-threads.ts';
import type { ObjectWrite } from './folder-work.ts';
import { listFolder } from './listing.ts';
import { newTemporaryPath, removeDeadTemporaryFiles } from './temporary-files.ts';

export function openFileStore(url: FileUrl, limits: StoreLimits): ObjectStore {
  const root = path.resolve(url.folder);
  const description = `file://${root}`;
  const target = (key: string): string => (assertKey(key), path.join(root, key));
  const run = <T>(what: string, options: CallOptions | undefined, work: (call: StoreCall) => Promise<T>): Promise<T> =>
    callStore({ what: `${what} in ${description}`, limits, options, translate: translateFileError }, work);
  let prepared = false;

  /** A large body gets its temporary file here, as a link or piece by piece; all else is done in a thread. */
  async function write(call: StoreCall, body: ObjectBody, file: string, mode: ObjectWrite['mode']) {
    call.allowFor(bodySize(body));
    if (!prepared) {
      await makeRootInThread(root);
      // The dead writers' files are in nobody's way: failing to remove them fails no write.
      await removeDeadTemporaryFiles(root).catch(() => undefined);
      prepared = true;
    }
    const temporary = await newTemporaryPath(root);
    if (bodySize(body) <= pieceBytes) return await writeInThread({ root, file, temporary, body, mode });
    try {
      // A `create` tells by the number of links whether it won.
      const isLinked = mode === 'put' && (await linkTemporary(temporary, body, call.signal));
      if (!isLinked) await writeTemporary(temporary, body, call.signal);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    return await writeInThread({ root, file, temporary, body: undefined, mode });
  }

  const store: ObjectStore = {
    description,
    put: (key, body, options) => {
      const file = target(key);
      return run(`put ${key}`, options, async (call) => {
        await write(call, body, file, 'put');
      });
    },
    create: (key, body, options) => {
      const file = target(key);
      return run(`create ${key}`, options, (call) => write(call, body, file, 'create'));
    },
    get: (key, options) => {
      const file = target(key);
      const maxBytes = options?.maxBytes ?? defaultMaxBytes;
      return run(`get ${key}`, options, (call) => readWhole(key, file, maxBytes, call));
    },
    getToFile: (key, destination, options) => {
      const file = target(key);
      return run(`get ${key}`, options, async (call) => {
        const { size } = await statFile(file);
        refuseLarger(key, size, options?.maxBytes ?? Infinity);
        call.allowFor(size);
        const announced = { key, expectedBytes: size, maxBytes: options?.maxBytes };
        return receiveFile(createReadStream(file, { signal: call.signal }), destination, announced);
      });
    },
    getRange: (key, range, options) => {
      const file = target(key);
      return run(`get ${key}`, options, (call) => readRange(file, range, call));
    },
    head: (key, options) => {
      const file = target(key);
      return run(`head ${key}`, options, () => headFile(key, file));
    },
    list: (prefix, options) => {
      assertPrefix(prefix);
      return listFolder(path.join(root, prefix), prefix, (work) => run(`list ${prefix}`, options, work));
    },
    delete: (key, options) => {
      const file = target(key);
      return run(`delete ${key}`, options, () => removeInThread(root, file));
    },
    check: (options) => checkStore(store, options),
    close: () => Promise.resolve(),
  };
  return store;
}

/** One write call at a time, so that a call that has ended stops writing. */
const pieceBytes = 1024 * 1024;

/**
 * Gives a file that stays as it is another name, instead of copying it: of a large one, copying costs more than all else.
 * False when it cannot be, as on another file system.
 */
async function linkTemporary(temporary: string, body: ObjectBody, signal: AbortSignal): Promise<boolean> {
  if (body.kind !== 'file' || body.isFinal !== true) return false;
  try {
    await mkdir(path.dirname(temporary), { recursive: true });
    await link(body.path, temporary);
  } catch {
    return false;
  }
  await using file = await open(temporary);
  const { size } = await file.stat();
  if (size !== body.sizeBytes) rejectBody(body.path, new Error(`it has ${size} bytes, not ${body.sizeBytes}`));
  const now = new Date();
  await file.utimes(now, now); // an object is as old as its writing, whatever the file is
  await file.datasync();
  signal.throwIfAborted();
  return true;
}

async function writeTemporary(temporary: string, body: ObjectBody, signal: AbortSignal): Promise<void> {
  await using reader = await openBody(body);
  await mkdir(path.dirname(temporary), { recursive: true });
  await using file = await open(temporary, 'wx');
  for await (const piece of bodyPieces(reader, bodySize(body), pieceBytes)) {
    signal.throwIfAborted();
    await writeAll(file, piece);
  }
  await file.datasync();
  signal.throwIfAborted();
}

async function statFile(file: string): Promise<{ size: number }> {
  const facts = await stat(file);
  if (facts.isFile()) return facts;
  throw new DormouseError('store-object-missing', `${file} is a folder, not an object`);
}

async function readWhole(key: string, file: string, maxBytes: number, call: StoreCall): Promise<Buffer> {
  await using handle = await open(file);
  const facts = await handle.stat();
  if (!facts.isFile()) throw new DormouseError('store-object-missing', `${file} is a folder, not an object`);
  refuseLarger(key, facts.size, maxBytes);
  call.allowFor(facts.size);
  return await handle.readFile({ signal: call.signal });
}

async function readRange(file: string, { start, length }: ByteRange, call: StoreCall): Promise<ObjectRange> {
  await using handle = await open(file);
  const facts = await handle.stat();
  if (!facts.isFile()) throw new DormouseError('store-object-missing', `${file} is a folder, not an object`);
  call.allowFor(length);
  const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, facts.size - start)));
  for (let filled = 0; filled < bytes.length;) {
    call.signal.throwIfAborted();
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, start + filled);
    if (bytesRead === 0) throw new DormouseError('store-unavailable', `${file} became shorter while it was read`);
    filled += bytesRead;
  }
  return { bytes, objectBytes: facts.size };
}

async function headFile(key: string, file: string): Promise<ObjectInfo | undefined> {
  try {
    return { key, sizeBytes: (await statFile(file)).size };
  } catch (error) {
    if (error instanceof DormouseError || errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
