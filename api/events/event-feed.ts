/**
 * Following the registry's stream of events. Nothing is buffered for a reader: each has only its place in the stream, and
 * reads on from there when it is ready for more. Readers at the same place share one read. A change announced by the
 * registry causes a look at once; because such hints may be lost there is one every two seconds in any case.
 *
 * Failures: `registry-unavailable` from a read ends that reader.
 */
import type { PlatformEvent } from '../../shared/registry/records.ts';
import type { EventPage, Registry } from '../../shared/registry/registry.ts';
import { nextChange } from '../scheduler/next-change.ts';

/** What a lost hint costs. */
const lookEveryMs = 2000;
/** A few hundred bytes each: small enough to be written at once, large enough to catch up quickly. */
const pageSize = 200;

export interface Batch {
  readonly events: readonly PlatformEvent[];
  /** Where to go on from, also past events that were not wanted. */
  readonly next: string;
  /** What happened between the last place and these is not known any more. */
  readonly gap: boolean;
}

export interface EventFeed extends Disposable {
  /** How many follow it. */
  readonly readers: number;
  /** Batches after a place, until the signal ends it; then it throws the signal's reason. */
  follow(after: string, signal: AbortSignal): AsyncGenerator<Batch, never, undefined>;
}

export function createEventFeed(registry: Pick<Registry, 'watch' | 'watchWakes' | 'readEvents'>): EventFeed {
  const reads = new Map<string, Promise<EventPage>>();
  const waiting = new Set<() => void>();
  let version = 0;
  let readers = 0;
  const bump = (): void => {
    version++;
    reads.clear(); // a read that began before this change may miss it, so nobody joins it any more
    for (const wake of waiting) wake();
    waiting.clear();
  };
  const hints = registry.watch((change) => {
    if (change.kind !== 'operation') bump();
  });
  const timer = setInterval(bump, lookEveryMs);
  /** While anybody reads: there is one for each wake. */
  let wakes: Disposable | undefined;
  const enter = (): void => {
    readers++;
    wakes ??= registry.watchWakes(bump);
  };
  const leave = (): void => {
    if (--readers > 0) return;
    wakes?.[Symbol.dispose]();
    wakes = undefined;
  };
  const read = (after: string): Promise<EventPage> => {
    const underWay = reads.get(after);
    if (underWay !== undefined) return underWay;
    const page = registry.readEvents(after, pageSize).finally(() => {
      if (reads.get(after) === page) reads.delete(after);
    });
    reads.set(after, page);
    return page;
  };
  return {
    get readers() {
      return readers;
    },
    async *follow(after, signal) {
      enter();
      try {
        for (;;) {
          signal.throwIfAborted();
          const seen = version;
          const { events, next, gap } = await read(after);
          if (next !== after || gap) yield { events, next, gap };
          else if (version === seen) await nextChange(waiting, signal);
          after = next;
        }
      } finally {
        leave();
      }
    },
    [Symbol.dispose]() {
      hints[Symbol.dispose]();
      clearInterval(timer);
    },
  };
}
