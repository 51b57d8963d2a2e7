/**
 * Waiting for an actor to change. All who wait for one actor share its looks: one read of the registry serves them all,
 * however many they are. A change announced by the registry causes a look at once; because such hints may be lost there
 * is one every half second in any case, or less often when so many actors are waited for that the looks alone would be work.
 */
import { compareEpochs } from '../../shared/actor/epoch.ts';
import type { ActorRecord, Started } from '../../shared/registry/records.ts';
import type { Registry } from '../../shared/registry/registry.ts';
import { nextChange } from './next-change.ts';

/** Bounds what a lost hint costs a waiting caller. */
const lookEveryMs = 500;
/** Bounds what waiting costs the registry and this process: two hundred looks a second, for however many actors. */
const tickMs = 50;
const looksPerTick = 10;

export interface Watching extends Disposable {
  /**
   * The record after the next change, or after half a second (later when hundreds are waited for). A change since the last call counts, so nothing
   * that happens between two calls is missed. Rejects with the signal's reason.
   *
   * Whoever has the record from before may say so: if all that changed is that the actor was started, the announcement
   * says where, and the registry is not read. That is a hint still. What it leads to may be over by now, and refuses.
   */
  next(signal: AbortSignal, before?: ActorRecord): Promise<ActorRecord | undefined>;
}

export interface ActorWatch extends Disposable {
  /** Open it before reading the record that decides whether to wait. */
  open(id: string): Watching;
}

interface Entry {
  users: number;
  version: number;
  /** The newest look, by the version it was made for. */
  look?: { readonly version: number; readonly record: Promise<ActorRecord | undefined> };
  /** What was announced as the newest change, if that was a start. */
  started: Started | undefined;
  readonly waiting: Set<() => void>;
  /** When it was bumped last. */
  bumpedAt: number;
}

export function watchActors(registry: Pick<Registry, 'watch' | 'getActor'>): ActorWatch {
  const entries = new Map<string, Entry>(); // the one that was bumped longest ago first
  const bump = (id: string, entry: Entry, started?: Started): void => {
    entry.started = started;
    entries.delete(id);
    entries.set(id, entry);
    entry.bumpedAt = performance.now();
    entry.version++;
    for (const wake of entry.waiting) wake();
    entry.waiting.clear();
  };
  const feed = registry.watch((change) => {
    if (change.kind !== 'actor') return;
    const entry = entries.get(change.id);
    if (entry !== undefined) bump(change.id, entry, change.started);
  });
  const lookAround = (): void => {
    const due = performance.now() - lookEveryMs;
    let left = looksPerTick;
    for (const [id, entry] of entries) {
      if (entry.bumpedAt > due || left-- === 0) break;
      bump(id, entry);
    }
  };
  const timer = setInterval(lookAround, tickMs);
  const enter = (id: string): Entry => {
    const entry: Entry = entries.get(id) ?? {
      users: 0,
      version: 0,
      started: undefined,
      waiting: new Set(),
      bumpedAt: performance.now(),
    };
    entry.users++;
    entries.set(id, entry);
    return entry;
  };
  const leave = (id: string, entry: Entry): void => {
    if (--entry.users === 0) entries.delete(id);
  };
  const look = (id: string, entry: Entry): Promise<ActorRecord | undefined> => {
    if (entry.look?.version !== entry.version) {
      entry.look = { version: entry.version, record: registry.getActor(id) };
    }
    return entry.look.record;
  };
  return {
    open(id) {
      const entry = enter(id);
      let seen = entry.version;
      let open = true;
      return {
        async next(signal, before) {
          if (entry.version === seen) await nextChange(entry.waiting, signal);
          signal.throwIfAborted();
          seen = entry.version;
          return afterStart(before, entry.started) ?? look(id, entry);
        },
        [Symbol.dispose]() {
          if (open) leave(id, entry);
          open = false;
        },
      };
    },
    [Symbol.dispose]() {
      feed[Symbol.dispose]();
      clearInterval(timer);
    },
  };
}

/** Undefined unless the start is certainly of that actor and came after the record was read. */
function afterStart(before: ActorRecord | undefined, started: Started | undefined): ActorRecord | undefined {
  if (before === undefined || started === undefined || before.uid !== started.uid) return undefined;
  const order = before.epoch === undefined ? 1 : compareEpochs(started.epoch, before.epoch);
  const isNews = order > 0 || (order === 0 && before.state === 'resuming');
  return isNews ? { ...before, ...started, lastNode: started.node, state: 'running' } : undefined;
}
