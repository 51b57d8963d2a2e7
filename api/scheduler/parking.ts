/**
 * Calls that wait for room: a bounded queue of this process. Whenever room may have come (an actor went to sleep, a node
 * joined), the parked actors are tried in the order they came. One that still does not fit does not hold up a smaller one
 * behind it, and a call that comes while others wait goes to the end instead of past them. Namespaces take turns, and in each
 * its lanes (lanes.ts): the first of one is tried before the second of another, and none takes all the places. Between several api processes the
 * claim decides.
 *
 *   enter ─► parked ─► tried again and again ─► claimed: the call sees its actor wake, and leaves
 *                                             ─► failed for another reason than room: `failure`
 *            left when its place is disposed: the client went away, or the wake limit is over
 */
import { DormouseError, toDormouseError } from '../../shared/errors/dormouse-error.ts';
import type { Lane } from '../../shared/jobs/node-line.ts';
import type { Change } from '../../shared/registry/records.ts';
import type { Registry } from '../../shared/registry/registry.ts';
import { wantRoom } from '../../shared/registry/wanted-room.ts';
import { fullNodes } from './placement.ts';
import { laneOf } from './lanes.ts';
import { createParkingOrder, keyOf } from './parking-order.ts';

export interface Place extends Disposable {
  /** False once it was its turn: whatever came of it, this place is used up. */
  readonly isWaiting: boolean;
  /** What the last attempt failed with for want of room. */
  readonly refusal: DormouseError;
  /** What ended the attempts, if anything but room is missing. */
  readonly failure: DormouseError | undefined;
}

export interface ParkedActor {
  readonly id: string;
  readonly template: string;
}

export interface Parking extends Disposable {
  /** Whether anybody waits: then a newcomer has to as well. */
  readonly isBusy: boolean;
  /** Calls that wait for room. */
  readonly size: number;
  /** Calls that wait for room for this actor. */
  waiting(actorId: string): number;
  /** Takes a place for one call; throws `too-many-parked` when there is none. `attempt` throws `no-capacity` for want of room. */
  enter(actor: ParkedActor, refusal: DormouseError, attempt: Attempt): Place;
}

/** `asOf`: the nodes are to be seen as of this instant (of `performance.now()`), or later. */
export type Attempt = (asOf: number) => Promise<void>;

interface Entry {
  readonly id: string;
  calls: number;
  readonly lane: Lane;
  refusal: DormouseError;
  failure: DormouseError | undefined;
  readonly attempt: Attempt;
}

/** A newcomer does not go past those who wait. */
export const behindOthers = (): DormouseError =>
  new DormouseError('no-capacity', 'other calls wait for room as well', { retryAfterMs });

/** For hints that were lost, and for room that comes without one: a lease that is over. */
const tryEveryMs = 1000;
const retryAfterMs = 5000;
/** Of all places, for the calls of one: somebody else's call finds one, however many wait. */
const largestShares = { lane: 0.75, namespace: 0.9 } as const;

export function createParking(registry: Pick<Registry, 'watch' | 'remember'>, limit: number): Parking {
  const entries = new Map<string, Entry>(); // in the order they came
  let calls = 0;
  const callsOf = new Map<string, number>(); // by lane, and by namespace
  const order = createParkingOrder();
  let trying = false;
  let again = false;

  /** Idle actors make room for those who wait. A note that is lost is written again with the next attempt. */
  const want = (refusal: DormouseError): void => {
    wantRoom(registry, fullNodes(refusal)).catch(() => undefined);
  };
  const tryAll = async (): Promise<void> => {
    again = true;
    if (trying) return;
    trying = true;
    while (again) {
      again = false;
      // All of them see the same nodes: room that comes meanwhile is not for whoever happens to be next, but for the first.
      const asOf = performance.now();
      for (const entry of order.of(entries.values())) {
        if (await tryOne(entries, entry, asOf)) order.served(entry.lane);
        if (entries.get(entry.id) === entry) want(entry.refusal);
      }
    }
    trying = false;
    if (entries.size === 0) order.clear();
  };
  const feed = registry.watch((change) => {
    if (entries.size > 0 && mayBringRoom(change)) void tryAll();
  });
  const timer = setInterval(() => {
    if (entries.size > 0) void tryAll();
  }, tryEveryMs);

  const countCall = (lane: Lane, by: 1 | -1): void => {
    calls += by;
    for (const key of [keyOf(lane), lane.namespace]) {
      const count = (callsOf.get(key) ?? 0) + by;
      if (count > 0) callsOf.set(key, count);
      else callsOf.delete(key);
    }
  };
  const isFull = (lane: Lane): boolean =>
    calls >= limit ||
    (callsOf.get(keyOf(lane)) ?? 0) >= Math.ceil(limit * largestShares.lane) ||
    (callsOf.get(lane.namespace) ?? 0) >= Math.ceil(limit * largestShares.namespace);
  const leave = (entry: Entry): void => {
    countCall(entry.lane, -1);
    if (--entry.calls === 0 && entries.get(entry.id) === entry) entries.delete(entry.id);
  };
  return {
    get isBusy() {
      return entries.size > 0;
    },
    get size() {
      return calls;
    },
    waiting: (id) => entries.get(id)?.calls ?? 0,
    enter(actor, refusal, attempt) {
      const [id, lane] = [actor.id, laneOf(actor)];
      if (isFull(lane)) {
        throw new DormouseError('too-many-parked', `${calls} calls wait for room already`, { retryAfterMs });
      }
      const entry = entries.get(id) ?? { id, calls: 0, lane, refusal, failure: undefined, attempt };
      entries.set(id, entry);
      entry.calls++;
      want(refusal);
      countCall(lane, 1);
      if (entries.size > 1) void tryAll(); // it came past nobody, but perhaps there is room for all of them
      let left = false;
      return {
        get isWaiting() {
          return entries.get(id) === entry;
        },
        get refusal() {
          return entry.refusal;
        },
        get failure() {
          return entry.failure;
        },
        [Symbol.dispose]() {
          if (!left) leave(entry);
          left = true;
        },
      };
    },
    [Symbol.dispose]() {
      feed[Symbol.dispose]();
      clearInterval(timer);
    },
  };
}

/** Whether it got what it waited for. */
async function tryOne(entries: Map<string, Entry>, entry: Entry, asOf: number): Promise<boolean> {
  const { id } = entry;
  if (entries.get(id) !== entry) return false; // all its calls have left meanwhile
  try {
    await entry.attempt(asOf);
    entries.delete(id);
    return true;
  } catch (cause) {
    const error = toDormouseError(cause);
    if (error.code === 'no-capacity') {
      entry.refusal = error;
      return false;
    }
    entry.failure = error;
    entries.delete(id);
    return false;
  }
}

const mayBringRoom = (change: Change): boolean =>
  change.kind === 'node' ||
  (change.kind === 'actor' && ['suspended', 'paused', 'failed', 'gone'].includes(change.state));
