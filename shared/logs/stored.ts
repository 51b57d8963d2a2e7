/**
 * Lines as they lie in the store: one line of JSON each, compressed. Each object holds lines of one activation, perhaps
 * some of the memory it began with as well; whoever reads several passes each line once (line.ts). They are kept for
 * people and promise nothing: what is damaged is left out.
 */
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import { z } from 'zod';
import { compareEpochs } from '../actor/epoch.ts';
import type { CallOptions, ListedObject, ObjectStore } from '../object-store/object-store.ts';
import { logOf, objectKeys } from '../snapshot/object-keys.ts';
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

/** Oldest first. */
export async function listStored(
  store: ObjectStore,
  id: string,
  uid: string,
  options?: CallOptions,
): Promise<ListedObject[]> {
  const found: { readonly object: ListedObject; readonly epoch: string; readonly attempt: number }[] = [];
  for await (const object of store.list(objectKeys.actorLogs(id, uid), options)) {
    const name = logOf(object.key);
    if (name !== undefined) found.push({ object, ...name });
  }
  return found.sort((a, b) => compareEpochs(a.epoch, b.epoch) || a.attempt - b.attempt).map(({ object }) => object);
}

/** Every line that is kept, oldest first, each once. */
export async function readStored(
  store: ObjectStore,
  id: string,
  uid: string,
  options?: CallOptions,
): Promise<LogLine[]> {
  const sieve = createSieve();
  const lines: LogLine[] = [];
  for (const { key } of await listStored(store, id, uid, options)) {
    const read = store.get(key, { ...options, maxBytes: maxObjectBytes }).then(decodeLines);
    lines.push(...sieve(await read.catch(() => [])));
  }
  return lines;
}
