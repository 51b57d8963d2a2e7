/**
 * Gathers what the checker needs besides the history: each actor's log from the store, fsck's word about all of it, each
 * VM's life from the logs.
 */
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Finding } from '../../shared/fsck/finding.ts';
import { inspectStore } from '../../shared/fsck/inspect-store.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import { readEntry } from '../../shared/snapshot/actor-log.ts';
import { objectKeys, sequenceOf } from '../../shared/snapshot/object-keys.ts';
import type { LogFact, RunningInterval, StoreState } from './evidence.ts';
import { lookEveryMs, type Sighting } from './vm-watch.ts';
import type { Death } from './world.ts';

export async function readLog(store: ObjectStore, actor: string): Promise<LogFact[]> {
  const facts: LogFact[] = [];
  for await (const { key } of store.list(objectKeys.logFolder(actor))) {
    const seq = sequenceOf(key);
    const entry = seq === undefined ? undefined : await readEntry(store, actor, seq);
    if (entry?.kind === 'fence') facts.push({ kind: 'fence', seq: entry.seq, epoch: entry.fencedEpoch });
    if (entry?.kind !== 'snapshot') continue;
    const { epoch, generation, manifest } = entry;
    facts.push({ kind: 'snapshot', seq: entry.seq, epoch, generation, capturedAt: Date.parse(manifest.capturedAt) });
  }
  return facts.sort((a, b) => a.seq - b.seq);
}

interface Line {
  readonly at: number;
  readonly message: string;
  readonly actor: string;
  readonly epoch: string;
  readonly sandbox: string | undefined;
}

/** When each activation of a node could run, by the node's log, the deaths of its worker, and what was seen of its VMs. */
export async function readIntervals(
  logs: string,
  node: string,
  deaths: readonly Death[],
  sightings: readonly Sighting[],
): Promise<RunningInterval[]> {
  const text = await readFile(path.join(logs, `${node}.log`), 'utf8');
  const lines = text.split('\n').flatMap((line) => lifeLine(line) ?? []);
  const ends = deaths.filter(({ process }) => process === node).map(({ at }) => at);
  const seen = sightings.filter((sighting) => sighting.node === node);
  return intervalsOf(node, lines, ends).flatMap((interval) => clipped(interval, seen));
}

function lifeLine(text: string): Line | undefined {
  if (!text.includes('"activation ')) return undefined;
  const record = JSON.parse(text) as Record<string, string>;
  const { time = '', msg: message = '', actorId: actor = '', epoch = '', sandbox } = record;
  return { at: Date.parse(time), message, actor, epoch, sandbox };
}

type NamedInterval = Omit<RunningInterval, 'seen'>;

function intervalsOf(node: string, lines: readonly Line[], deaths: readonly number[]): NamedInterval[] {
  const intervals: NamedInterval[] = [];
  const sandboxes = new Map<string, string>();
  const open = new Map<string, Omit<NamedInterval, 'to'>>();
  const close = (key: string, to: number | undefined): void => {
    const interval = open.get(key);
    if (interval !== undefined) intervals.push({ ...interval, to });
    open.delete(key);
  };
  const events = [...lines, ...deaths.map((at) => ({ at, message: 'death' }) as const)].sort((a, b) => a.at - b.at);
  for (const event of events) {
    if (event.message === 'death') for (const key of [...open.keys()]) close(key, event.at);
    if (!('actor' in event)) continue;
    const { at: from, message, actor, epoch } = event;
    const key = `${actor} ${epoch}`;
    if (event.sandbox !== undefined) sandboxes.set(key, event.sandbox);
    if (message === 'activation started' || message === 'activation thawed')
      open.set(key, { actor, epoch, node, from, vm: sandboxes.get(key) ?? '' });
    else close(key, from);
  }
  for (const key of [...open.keys()]) close(key, undefined);
  return intervals;
}

/** The parts of an interval in which the VM's process was seen able to run; a life too short to be seen stays whole. */
function clipped(interval: NamedInterval, sightings: readonly Sighting[]): RunningInterval[] {
  const { from, to = Infinity, vm } = interval;
  const seen = sightings.filter((sighting) => sighting.sandbox === vm && sighting.to >= from && sighting.from < to);
  if (seen.length > 0)
    return seen.map((sighting) => ({
      ...interval,
      from: Math.max(from, sighting.from),
      to: Math.min(to, sighting.to),
      seen: true,
    }));
  const isShort = to - from < 3 * lookEveryMs;
  return [{ ...interval, to: isShort ? to : from + lookEveryMs, seen: isShort }];
}

/** Every object is read. Attempts that came to nothing are orphans for a while; missing or corrupt is damage at any time. */
export async function readStore(store: ObjectStore, scratchFolder: string): Promise<StoreState> {
  await mkdir(scratchFolder);
  const others: Finding[] = [];
  let live = 0;
  await inspectStore({
    store,
    scratchFolder,
    onFinding(finding) {
      if (finding.verdict === 'live') live++;
      else others.push(finding);
    },
  });
  return { live, others };
}
