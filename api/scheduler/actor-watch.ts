/**
 * Waiting for an actor to change. All who wait for one actor share its looks: one read of the registry serves them all,
 * however many they are. A change announced by the registry causes a look at once; because such hints may be lost there
 * is one every half second in any case, or less often when so many actors are waited for that the looks alone would be work.
 */
import type { ActorRecord } from '../../shared/registry/records.ts';
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
   */
  next(signal: AbortSignal): Promise<ActorRecord | undefined>;
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
  readonly waiting: Set<() => void>;
  /** When it was bumped last. */
  bumpedAt: number;
}

export function watchActors(registry: Pick<Registry, 'watch' | 'getActor'>): ActorWatch {
  const entries = new Map<string, Entry>(); // the one that was bumped longest ago first
  const bump = (id: string, entry: Entry): void => {
    entries.delete(id);
    entries.set(id, entry);
    entry.bumpedAt = performance.now();
    entry.version++;
    for (const wake of entry.waiting) wake();
    entry.waiting.clear();
  };
  const feed = registry.watch((change) => {
    // Nobody waits for an actor to begin to wake.
    if (change.kind !== 'actor' || change.state === 'resuming') return;
    const entry = entries.get(change.id);
    if (entry !== undefined) bump(change.id, entry);
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
        async next(signal) {
          if (entry.version === seen) await nextChange(entry.waiting, signal);
          signal.throwIfAborted();
          seen = entry.version;
          return look(id, entry);
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
