/**
 * Waiting for an actor to change. All who wait for one actor share its looks: one read of the registry serves them all,
 * however many they are. A change announced by the registry causes a look at once; because such hints may be lost there
 * is one every half second in any case.
 */
import type { ActorRecord } from '../../shared/registry/records.ts';
import type { Registry } from '../../shared/registry/registry.ts';
import { nextChange } from './next-change.ts';

/** Bounds what a lost hint costs a waiting caller, and what waiting costs the registry. */
const lookEveryMs = 500;

export interface Watching extends Disposable {
  /**
   * The record after the next change, at the latest in half a second. A change since the last call counts, so nothing
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
  readonly timer: NodeJS.Timeout;
}

export function watchActors(registry: Pick<Registry, 'watch' | 'getActor'>): ActorWatch {
  const entries = new Map<string, Entry>();
  const bump = (entry: Entry): void => {
    entry.version++;
    for (const wake of entry.waiting) wake();
    entry.waiting.clear();
  };
  const feed = registry.watch((change) => {
    // Nobody waits for an actor to begin to wake.
    if (change.kind !== 'actor' || change.state === 'resuming') return;
    const entry = entries.get(change.id);
    if (entry !== undefined) bump(entry);
  });
  const enter = (id: string): Entry => {
    const entry: Entry = entries.get(id) ?? {
      users: 0,
      version: 0,
      waiting: new Set(),
      timer: setInterval(() => bump(entry), lookEveryMs),
    };
    entry.users++;
    entries.set(id, entry);
    return entry;
  };
  const leave = (id: string, entry: Entry): void => {
    if (--entry.users > 0) return;
    clearInterval(entry.timer);
    entries.delete(id);
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
      for (const entry of entries.values()) clearInterval(entry.timer);
    },
  };
}
