/**
 * Which of an actor's objects are alive, by its log: the entries of the present life of the id and the parts of every
 * snapshot among them; of a deleted id the tombstone alone.
 *
 * An attempt that is still under way looks like garbage, so an orphan may go only if its activation can commit no more:
 * the log has a fence of it, a later epoch, or a later attempt of the same one. Where the log itself is damaged, nothing
 * may go.
 */
import { compareEpochs, latestEpoch, type Epoch } from '../actor/epoch.ts';
import { DormouseError } from '../errors/dormouse-error.ts';
import type { CallOptions, ObjectStore } from '../object-store/object-store.ts';
import { readEntry, type LogEntry, type SnapshotEntry } from '../snapshot/actor-log.ts';
import { neededParts } from '../snapshot/manifest.ts';
import { attemptOf, logOf, objectKeys, sequenceOf } from '../snapshot/object-keys.ts';
import type { Finding, Group, Judgement, Named } from './finding.ts';

export async function judgeActor(store: ObjectStore, group: Group, options: CallOptions): Promise<Judgement> {
  const id = group.prefix.split('/')[1] ?? '';
  const { entries, damage } = await readLog(store, id, group, options);
  const life = presentLife(entries);
  const complaint = damage.length > 0 ? 'its log is damaged' : lifeComplaint(id, entries, life);
  const foundDamage =
    damage.length > 0 || complaint === undefined
      ? damage
      : [{ key: objectKeys.logFolder(id), verdict: 'missing', reason: complaint } as const];
  const named = [
    ...life.flatMap((entry) => [{ key: keyOf(id, entry), by: keyOf(id, entry) }, ...namedBy(id, entry)]),
    ...logsOf(id, group, life),
  ];
  const outside = life.flatMap((entry) => partsOutside(id, entry));
  const lastWords = lastWordsOf(life);
  return {
    named: onceEach(named),
    damage: [...foundDamage, ...outside],
    orphan: (key) => {
      const held = complaint ?? heldBecause(id, key, life[0]?.uid, lastWords);
      return held === undefined
        ? { reason: 'no entry of its log names it', removable: true }
        : { reason: held, removable: false };
    },
  };
}

/** Several generations may lie over one part. The newest that names it speaks for it. */
const onceEach = (named: readonly Named[]): Named[] => {
  const byKey = new Map<string, Named>();
  for (const item of named) if (!byKey.has(item.key)) byKey.set(item.key, item);
  return [...byKey.values()];
};

const keyOf = (id: string, { seq }: LogEntry): string => objectKeys.logEntry(id, seq);

/** Of a format that this version does not know, too: nothing may be concluded from what it cannot read. */
const unreadable: ReadonlySet<string> = new Set(['snapshot-corrupt', 'snapshot-unsupported', 'store-object-too-large']);

/** Highest first. */
async function readLog(
  store: ObjectStore,
  id: string,
  { objects }: Group,
  options: CallOptions,
): Promise<{ entries: LogEntry[]; damage: Finding[] }> {
  const entries: LogEntry[] = [];
  const damage: Finding[] = [];
  for (const { key, sizeBytes } of objects) {
    const seq = key.startsWith(objectKeys.logFolder(id)) ? sequenceOf(key) : undefined;
    if (seq === undefined) continue;
    try {
      entries.push(await readEntry(store, id, seq, options));
    } catch (error) {
      if (!(error instanceof DormouseError)) throw error;
      if (error.code === 'store-object-missing') continue; // collected since it was listed
      if (!unreadable.has(error.code)) throw error;
      damage.push({ key, verdict: 'corrupt', sizeBytes, reason: `this log entry cannot be read (${error.code})` });
    }
  }
  return { entries: entries.sort((a, b) => b.seq - a.seq), damage };
}

/** The tombstone alone, or everything from the newest entry of this life down to its `created`. */
function presentLife(entries: readonly LogEntry[]): LogEntry[] {
  const [last] = entries;
  if (last?.kind === 'deleted') return [last];
  const created = entries.findIndex(({ kind }) => kind === 'created');
  const uid = entries[created]?.uid;
  return entries.slice(0, created + 1).filter((entry) => entry.uid === uid);
}

function lifeComplaint(id: string, entries: readonly LogEntry[], life: readonly LogEntry[]): string | undefined {
  if (entries.length === 0) return `the actor ${id} has objects and no log`;
  return life.length === 0 ? `the log of ${id} does not say how the actor began` : undefined;
}

function namedBy(id: string, entry: LogEntry): Named[] {
  const by = keyOf(id, entry);
  if (entry.kind === 'created') return [{ key: objectKeys.template(entry.template, entry.revision), by }];
  if (entry.kind !== 'snapshot') return [];
  return ownParts(id, entry).map((part) => ({ ...part, by }));
}

/** Nothing names what the containers wrote, one by one: it lives while the actor does, and its retention bounds it. */
function logsOf(id: string, { objects }: Group, life: readonly LogEntry[]): Named[] {
  const created = life.find(({ kind }) => kind === 'created');
  if (created === undefined) return [];
  const folder = objectKeys.actorLogs(id, created.uid);
  return objects
    .filter(({ key }) => key.startsWith(folder) && logOf(key) !== undefined)
    .map(({ key }) => ({ key, by: keyOf(id, created) }));
}

const isOwn = (id: string, entry: SnapshotEntry, key: string): boolean =>
  key.startsWith(objectKeys.actorBlobs(id, entry.uid));

const ownParts = (id: string, entry: SnapshotEntry) =>
  neededParts(entry.manifest).filter(({ key }) => isOwn(id, entry, key));

function partsOutside(id: string, entry: LogEntry): Finding[] {
  if (entry.kind !== 'snapshot') return [];
  return neededParts(entry.manifest)
    .filter(({ key }) => !isOwn(id, entry, key))
    .map(({ key }) => ({ key: keyOf(id, entry), verdict: 'corrupt', reason: `it names ${key}, another one's object` }));
}

interface LastWords {
  /** This epoch and every earlier one is over. */
  readonly fenced: Epoch | undefined;
  readonly snapshot: SnapshotEntry | undefined;
}

function lastWordsOf(life: readonly LogEntry[]): LastWords {
  let fenced: Epoch | undefined;
  for (const entry of life) if (entry.kind === 'fence') fenced = latestEpoch(fenced, entry.fencedEpoch);
  return { fenced, snapshot: life.find((entry) => entry.kind === 'snapshot') };
}

/** Undefined when nobody can commit the object any more. */
function heldBecause(
  id: string,
  key: string,
  uid: string | undefined,
  { fenced, snapshot }: LastWords,
): string | undefined {
  const attempt = uid !== undefined && key.startsWith(objectKeys.actorBlobs(id, uid)) ? attemptOf(key) : undefined;
  if (attempt === undefined) return undefined;
  if (fenced !== undefined && compareEpochs(attempt.epoch, fenced) <= 0) return undefined;
  if (snapshot !== undefined) {
    const order = compareEpochs(attempt.epoch, snapshot.epoch);
    const committed = attemptOf(snapshot.manifest.parts.memory.key)?.attempt ?? 0;
    if (order < 0 || (order === 0 && attempt.attempt <= committed)) return undefined;
  }
  return `its activation (epoch ${attempt.epoch}) may commit it still`;
}
