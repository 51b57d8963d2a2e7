/**
 * The actor's log in the object store: the only truth about what is durable. Entries are created, never replaced; the
 * create-only write of an entry IS the commit and the fence. The head is the highest sequence number.
 */
import { z } from 'zod';
import { epochSchema } from '../actor/epoch.ts';
import { labelsSchema } from '../actor/names.ts';
import { qualifiedNameSchema } from '../actor/namespace.ts';
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

/** A `fence` declares its epoch and every earlier one over. */
export const logEntrySchema = z.discriminatedUnion('kind', [
  z.object({
    ...entryBase,
    kind: z.literal('created'),
    id: qualifiedNameSchema,
    template: qualifiedNameSchema,
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
  let last: LogEntry | undefined;
  const snapshots: SnapshotEntry[] = [];
  for (const seq of await listSequences(store, id, options)) {
    const entry = await readEntry(store, id, seq, options);
    last ??= entry;
    if (entry.kind === 'deleted') break;
    if (entry.kind === 'snapshot') snapshots.push(entry);
    if (entry.kind === 'created') {
      const snapshot = snapshots.find(({ uid }) => uid === entry.uid);
      return { seq: last.seq, last, created: entry, snapshot };
    }
  }
  return { seq: last?.seq ?? 0, last, created: undefined, snapshot: undefined };
}

/** The numbers of an actor's entries, highest first. There are holes: old entries are collected. */
export async function listSequences(store: ObjectStore, id: string, options?: CallOptions): Promise<number[]> {
  const sequences: number[] = [];
  for await (const { key } of store.list(objectKeys.logFolder(id), options)) {
    const seq = sequenceOf(key);
    if (seq !== undefined) sequences.push(seq);
  }
  return sequences.sort((a, b) => b - a);
}

export interface NewestState {
  readonly last: LogEntry;
  /** The newest committed generation of this life; undefined while it is the golden. */
  readonly snapshot: SnapshotEntry | undefined;
}

/**
 * What a resume starts from: the newest snapshot of this life of the id, and the head. Found from the end of the log, not
 * by counting up from what the registry knows: the registry may be behind, and the places in between may be empty, or
 * filled by a writer whose time was over. `likelySeq` is read at the same time as the listing and saves a round trip.
 *
 * Failures: `actor-deleted`, `snapshot-missing` (the log does not say how this life began), `snapshot-corrupt`.
 */
export async function readNewest(
  store: ObjectStore,
  { id, uid }: { readonly id: string; readonly uid: string },
  likelySeq: number,
  options?: CallOptions,
): Promise<NewestState> {
  const likely = readEntry(store, id, likelySeq, options).catch((error: unknown) => error);
  let last: LogEntry | undefined;
  for (const seq of await listSequences(store, id, options)) {
    const entry = seq === likelySeq ? orThrow(await likely) : await readEntry(store, id, seq, options);
    last ??= entry;
    const isOver = entry.kind === 'deleted' || (entry.kind === 'created' && entry.uid !== uid);
    if (isOver) throw new DormouseError('actor-deleted', `actor ${id} was deleted`);
    if (entry.kind === 'snapshot' && entry.uid === uid) return { last, snapshot: entry };
    if (entry.kind === 'created') return { last, snapshot: undefined };
  }
  throw new DormouseError('snapshot-missing', `the log of actor ${id} does not say how it began`, {
    details: { object: objectKeys.logFolder(id) },
  });
}

function orThrow(result: unknown): LogEntry {
  const entry = logEntrySchema.safeParse(result);
  if (entry.success) return entry.data;
  throw result;
}

/** The entries after `knownSeq`, in order, whatever holes there are between them. */
export async function catchUp(
  store: ObjectStore,
  id: string,
  knownSeq: number,
  options?: CallOptions,
): Promise<LogEntry[]> {
  const newer = (await listSequences(store, id, options)).filter((seq) => seq > knownSeq).reverse();
  return Promise.all(newer.map((seq) => readEntry(store, id, seq, options)));
}
