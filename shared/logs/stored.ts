/**
 * Lines as they lie in the store: one line of JSON each, compressed, and sealed as the parts of snapshots are where nodes
 * have keys (shared/encryption/). Each object holds lines of one activation, perhaps some of the memory it began with as
 * well; whoever reads several passes each line once (line.ts). They are kept for people and promise nothing: what is
 * damaged, or what none of the given keys opens, is left out.
 */
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import { z } from 'zod';
import { compareEpochs } from '../actor/epoch.ts';
import type { KeyRing } from '../encryption/key-ring.ts';
import { newDataKey, openSealedBytes, sealBytes } from '../encryption/sealed-file.ts';
import { findDataKey, storeDataKey } from '../encryption/stored-keys.ts';
import { DormouseError } from '../errors/dormouse-error.ts';
import type { CallOptions, ListedObject, ObjectStore } from '../object-store/object-store.ts';
import { logOf, objectKeys, wrappedKeyOf } from '../snapshot/object-keys.ts';
import { createSieve, type LogLine } from './line.ts';

/** Of an actor, all objects together, before compression; and of one object. What is older goes. */
export const keptBytes = 1024 * 1024;
/** JSON escapes a control character in six bytes, and a line has facts beside its text. */
const maxObjectBytes = 8 * keptBytes;

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

const lineSchema = z.object({
  sequence: z.coerce.bigint(),
  unixNanos: z.coerce.bigint(),
  container: z.string(),
  stream: z.enum(['stdout', 'stderr']),
  text: z.string(),
});

export function encodeLines(lines: readonly LogLine[]): Promise<Buffer> {
  const rows = lines.map(({ sequence, unixNanos, container, isError, text }) =>
    JSON.stringify({
      ...{ sequence: String(sequence), unixNanos: String(unixNanos), container },
      ...{ stream: isError ? 'stderr' : 'stdout', text },
    }),
  );
  return compress(Buffer.from(rows.join('\n')));
}

export async function decodeLines(bytes: Uint8Array): Promise<LogLine[]> {
  const text = (await decompress(bytes, { maxOutputLength: maxObjectBytes })).toString('utf8');
  return text
    .split('\n')
    .filter((row) => row !== '')
    .map((row) => {
      const { stream, ...line } = lineSchema.parse(JSON.parse(row));
      return { ...line, isError: stream === 'stderr' };
    });
}

export interface LogStore {
  readonly store: ObjectStore;
  /** Empty: lines are stored as they are, and sealed ones cannot be read. */
  readonly keyRing: KeyRing;
}

/** The name must be new: a data key seals one content alone. */
export async function putLines(
  { store, keyRing }: LogStore,
  key: string,
  lines: readonly LogLine[],
  options?: CallOptions,
): Promise<void> {
  const plain = await encodeLines(lines);
  const [encrypting] = keyRing;
  if (encrypting === undefined) return store.put(key, { kind: 'bytes', bytes: plain }, options);
  const dataKey = newDataKey();
  const ofKey = await storeDataKey(store, encrypting, key, dataKey, options);
  if (ofKey === 'exists') throw new DormouseError('internal', `the name ${key} was used before: it has a key already`);
  await store.put(key, { kind: 'bytes', bytes: sealBytes(plain, { dataKey, objectKey: key }) }, options);
}

/** The keys after the object: without it they are harmless. */
export async function dropLines(store: ObjectStore, key: string, options?: CallOptions): Promise<void> {
  await store.delete(key, options);
  for await (const wrap of store.list(objectKeys.wrappedKeys(key), options)) await store.delete(wrap.key, options);
}

export interface StoredLog extends ListedObject {
  /** Keys lie beside it. */
  readonly isSealed: boolean;
}

/** Oldest first. */
export async function listStored(
  store: ObjectStore,
  id: string,
  uid: string,
  options?: CallOptions,
): Promise<StoredLog[]> {
  const found: { readonly object: ListedObject; readonly epoch: string; readonly attempt: number }[] = [];
  const sealed = new Set<string>();
  for await (const object of store.list(objectKeys.actorLogs(id, uid), options)) {
    const name = logOf(object.key);
    if (name !== undefined) found.push({ object, ...name });
    const wrap = wrappedKeyOf(object.key);
    if (wrap !== undefined) sealed.add(wrap.objectKey);
  }
  return found
    .sort((a, b) => compareEpochs(a.epoch, b.epoch) || a.attempt - b.attempt)
    .map(({ object }) => ({ ...object, isSealed: sealed.has(object.key) }));
}

/** Every line that is kept, oldest first, each once. Undefined when some are sealed and the ring is empty. */
export async function readStored(
  kept: LogStore,
  id: string,
  uid: string,
  options?: CallOptions,
): Promise<LogLine[] | undefined> {
  const objects = await listStored(kept.store, id, uid, options);
  if (kept.keyRing.length === 0 && objects.some(({ isSealed }) => isSealed)) return undefined;
  const sieve = createSieve();
  const lines: LogLine[] = [];
  for (const object of objects) lines.push(...sieve(await readObject(kept, object, options).catch(() => [])));
  return lines;
}

async function readObject(
  { store, keyRing }: LogStore,
  { key, isSealed }: StoredLog,
  options?: CallOptions,
): Promise<LogLine[]> {
  const bytes = await store.get(key, { ...options, maxBytes: maxObjectBytes });
  if (!isSealed) return decodeLines(bytes);
  const dataKey = await findDataKey(store, keyRing, key, options);
  return decodeLines(openSealedBytes(Buffer.from(bytes), { dataKey, objectKey: key }));
}
