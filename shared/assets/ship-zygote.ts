/**
 * Zygotes in the object store: `zygotes/<key>/<sha256 of a part>`, and `zygotes/<key>/zygote.json` last, create-only, which
 * says which parts are the zygote's. Of several that were made of one machine the first stands.
 *
 * Failures: `asset-invalid` (a part is not what the record says, or the record is none), and the store's own.
 */
import path from 'node:path';
import { DormouseError } from '../errors/dormouse-error.ts';
import type { CallOptions, ObjectStore } from '../object-store/object-store.ts';
import { readInRanges } from '../object-store/read-in-ranges.ts';
import { receiveFile } from '../object-store/receive-file.ts';
import {
  makeZygote,
  parseZygote,
  readZygote,
  zygoteKey,
  zygoteParts,
  zygoteRecordName,
  type ZygoteMachine,
  type ZygoteRecord,
} from './zygote-folder.ts';

/** A record is some hundred bytes. */
const maxRecordBytes = 64 * 1024;

export const zygoteObject = (key: string, name: string): string => `zygotes/${key}/${name}`;

/** Uploads one of a machine's folder, read and verified, unless the store has one of its kind. */
export async function stageZygote(
  store: ObjectStore,
  folder: string,
  machine: ZygoteMachine,
  options: CallOptions = {},
): Promise<'uploaded' | 'present'> {
  const key = zygoteKey(machine);
  const recordKey = zygoteObject(key, zygoteRecordName);
  if ((await store.head(recordKey, options)) !== undefined) return 'present';
  const record = await readZygote(folder, key);
  if (record === undefined) throw new DormouseError('asset-invalid', `there is no zygote ${key} in ${folder}`);
  for (const name of zygoteParts) {
    const { sha256, sizeBytes } = record[name];
    const body = { kind: 'file', path: path.join(folder, key, name), sizeBytes } as const;
    await store.put(zygoteObject(key, sha256), body, options);
  }
  const bytes = Buffer.from(JSON.stringify(record));
  const outcome = await store.create(recordKey, { kind: 'bytes', bytes }, options);
  return outcome === 'created' ? 'uploaded' : 'present';
}

/** Undefined when the store has none. */
export async function readStagedZygote(
  store: ObjectStore,
  key: string,
  options: CallOptions = {},
): Promise<ZygoteRecord | undefined> {
  try {
    const bytes = await store.get(zygoteObject(key, zygoteRecordName), { ...options, maxBytes: maxRecordBytes });
    return parseZygote(key, bytes.toString('utf8'));
  } catch (cause) {
    if (cause instanceof DormouseError && cause.code === 'store-object-missing') return undefined;
    throw cause;
  }
}

/** Brings one into a machine's folder, whole; false when the store has none. */
export async function fetchZygote(
  store: ObjectStore,
  folder: string,
  machine: ZygoteMachine,
  options: CallOptions = {},
): Promise<boolean> {
  const key = zygoteKey(machine);
  const record = await readStagedZygote(store, key, options);
  if (record === undefined) return false;
  await makeZygote(folder, machine, async (unfinished) => {
    for (const name of zygoteParts) await fetchPart(store, key, record[name], path.join(unfinished, name), options);
    return record;
  });
  return true;
}

async function fetchPart(
  store: ObjectStore,
  key: string,
  { sha256, sizeBytes }: ZygoteRecord['memory'],
  target: string,
  options: CallOptions,
): Promise<void> {
  const object = zygoteObject(key, sha256);
  const checkSize = (objectBytes: number): void => {
    if (objectBytes !== sizeBytes) throw damaged(object);
  };
  const content = readInRanges(store, object, sizeBytes, checkSize, options);
  const arrived = await receiveFile(content, target, { key: object, expectedBytes: sizeBytes, maxBytes: sizeBytes });
  if (arrived.sha256 !== sha256) throw damaged(object);
}

const damaged = (object: string): DormouseError =>
  new DormouseError('asset-invalid', `the object ${object} has other contents than it should`, { details: { object } });
