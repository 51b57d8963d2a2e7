/**
 * The actor's log in the object store: the only truth about what is durable. Entries are created, never replaced; the
 * create-only write of an entry IS the commit and the fence. The head is the highest sequence number.
 */
import { z } from 'zod';
import { epochSchema } from '../actor/epoch.ts';
import { actorIdSchema, labelsSchema, templateNameSchema } from '../actor/names.ts';
import { DormouseError } from '../errors/dormouse-error.ts';
import type { CallOptions, ObjectStore } from '../object-store/object-store.ts';
import { manifestSchema, requireKnownVersion, requirePartsWithin } from './manifest.ts';
import { objectKeys, sequenceOf } from './object-keys.ts';

const entryBase = {
  formatVersion: z.literal(1),
  seq: z.number().int().positive(),
  at: z.iso.datetime(),
  uid: z.uuid(),
};

export const logEntrySchema = z.discriminatedUnion('kind', [
  z.object({
    ...entryBase,
    kind: z.literal('created'),
    id: actorIdSchema,
    template: templateNameSchema,
    revision: z.string(),
    labels: labelsSchema,
    coldStart: z.boolean(),
  }),
  z.object({
    ...entryBase,
    kind: z.literal('snapshot'),
    generation: z.number().int().positive(),
    epoch: epochSchema,
    node: z.string(),
    manifest: manifestSchema,
  }),
  z.object({
    ...entryBase,
    kind: z.literal('fence'),
    fencedEpoch: epochSchema,
    fencedNode: z.string(),
    reason: z.string(),
  }),
  z.object({ ...entryBase, kind: z.literal('deleted') }),
]);
export type LogEntry = z.infer<typeof logEntrySchema>;
export type SnapshotEntry = Extract<LogEntry, { kind: 'snapshot' }>;
type NewLogEntry = LogEntry extends infer Entry
  ? Entry extends LogEntry
    ? Omit<Entry, 'formatVersion' | 'seq' | 'at'>
    : never
  : never;

/** Larger than any entry we write; a hostile or damaged object does not fill our memory. */
const maxEntryBytes = 256 * 1024;

export async function readEntry(store: ObjectStore, id: string, seq: number, options?: CallOptions): Promise<LogEntry> {
  const key = objectKeys.logEntry(id, seq);
  const bytes = await store.get(key, { ...options, maxBytes: maxEntryBytes });
  return parseEntry(id, seq, bytes);
}

/** Believes nothing: what stands in the store may be damaged, forged, or written by a newer version. */
export function parseEntry(id: string, seq: number, bytes: Buffer): LogEntry {
  const key = objectKeys.logEntry(id, seq);
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null && 'manifest' in value) requireKnownVersion(value.manifest, key);
    const entry = logEntrySchema.parse(value);
    if (entry.seq !== seq) throw new Error(`the entry says seq ${entry.seq}`);
    if (entry.kind === 'created' && entry.id !== id) throw new Error(`the entry is of the actor ${entry.id}`);
    if (entry.kind === 'snapshot') requirePartsWithin(entry.manifest, objectKeys.actorBlobs(id, entry.uid));
    return entry;
  } catch (cause) {
    if (cause instanceof DormouseError) throw cause;
    throw new DormouseError('snapshot-corrupt', `the log entry ${key} cannot be read`, {
      cause,
      details: { object: key },
    });
  }
}

/** Writes the entry after `afterSeq`, create-only. 'lost' means another writer's entry stands there. */
export async function appendEntry(
  store: ObjectStore,
  id: string,
  afterSeq: number,
  entry: NewLogEntry,
  options?: CallOptions,
): Promise<{ outcome: 'committed'; entry: LogEntry } | { outcome: 'lost' }> {
  const full = { formatVersion: 1, seq: afterSeq + 1, at: new Date().toISOString(), ...entry } as LogEntry;
  const bytes = Buffer.from(JSON.stringify(full));
  const outcome = await store.create(objectKeys.logEntry(id, full.seq), { kind: 'bytes', bytes }, options);
  return outcome === 'created' ? { outcome: 'committed', entry: full } : { outcome: 'lost' };
}

export interface LogHead {
  /** Highest sequence number; 0 when the id never existed. */
  readonly seq: number;
  readonly last: LogEntry | undefined;
  /** The `created` entry of the present life of the id; undefined when it is deleted or never was. */
  readonly created: Extract<LogEntry, { kind: 'created' }> | undefined;
  /** The newest committed generation of the present life; undefined while it is the golden (generation 0). */
  readonly snapshot: SnapshotEntry | undefined;
}

/** Reads the log from its end back to what matters. */
export async function readHead(store: ObjectStore, id: string, options?: CallOptions): Promise<LogHead> {
  const sequences: number[] = [];
  for await (const object of store.list(objectKeys.logFolder(id), options)) {
    const seq = sequenceOf(object.key);
    if (seq !== undefined) sequences.push(seq);
  }
  let last: LogEntry | undefined;
  let snapshot: SnapshotEntry | undefined;
  for (const seq of sequences.sort((a, b) => b - a)) {
    const entry = await readEntry(store, id, seq, options);
    last ??= entry;
    if (entry.kind === 'deleted') break;
    if (entry.kind === 'snapshot') snapshot ??= entry;
    if (entry.kind === 'created') return { seq: last.seq, last, created: entry, snapshot };
  }
  return { seq: last?.seq ?? 0, last, created: undefined, snapshot: undefined };
}

/**
 * The newest committed snapshot, given what the registry remembers as the log's head. The registry may lag behind the
 * store (a lost answer after a commit), so the entries after it are read too.
 */
export async function catchUp(
  store: ObjectStore,
  id: string,
  knownSeq: number,
  options?: CallOptions,
): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (let seq = knownSeq + 1; (await store.head(objectKeys.logEntry(id, seq), options)) !== undefined; seq++) {
    entries.push(await readEntry(store, id, seq, options));
  }
  return entries;
}
