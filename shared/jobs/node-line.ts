/**
 * The order of a node's queue: lanes (the actors of one template in one namespace) take turns, by start-time fair queuing.
 * A wake's turn is one after the last of its lane, but never before the turn that the node has come to: who comes with one
 * wake is next, however many of another lane wait, and nobody who waits is overtaken for good by later ones of its own lane.
 *
 * Which turn a node has come to is told by the queue itself, the lowest turn that waits in it; so any number of senders
 * agree on it. It is looked up beside sending and not before: an old look lets a newcomer in a little earlier.
 */

/** What BullMQ keeps a priority in has 21 bits. Whoever comes later stands in one line, until the queue was empty once. */
export const lowestPriority = 2 ** 21 - 1;

/** A wake beside the one that is in its turn loses nothing by it; a look costs a command. */
const lookEveryMs = 50;
/** An older look says nothing: a queue of seconds is gone. Who does not know goes first. */
const trustMs = 1000;

/** Priorities, 1 the first: wakes have the odd ones, and what puts actors to sleep comes behind the wakes of its turn. */
export interface NodeLine {
  wake(lane: string): number;
  suspend(): number;
}

/** `lowestWaiting`: the lowest priority that waits in the queue, or 0. When it cannot be told, the last look stays. */
export function createNodeLine(
  lowestWaiting: () => Promise<number>,
  now: () => number = () => performance.now(),
): NodeLine {
  const last = new Map<string, { readonly turn: number; readonly sent: number }>(); // of lanes ahead of the queue
  let sent = 0;
  let reached = { turn: 1, atMs: -Infinity };
  let lookedAtMs = -Infinity;

  const look = async (): Promise<void> => {
    lookedAtMs = now();
    const sentBefore = sent; // what is sent meanwhile is not in the answer
    const lowest = await lowestWaiting();
    const turn = Math.max(1, turnOf(lowest));
    reached = { turn, atMs: now() };
    for (const [lane, of] of last) if (of.sent <= sentBefore && (lowest === 0 || of.turn < turn)) last.delete(lane);
  };
  const front = (): number => {
    if (now() - lookedAtMs > lookEveryMs) look().catch(() => undefined);
    return now() - reached.atMs > trustMs ? 1 : reached.turn;
  };
  return {
    wake(lane) {
      const turn = Math.max(front(), (last.get(lane)?.turn ?? 0) + 1);
      last.set(lane, { turn, sent: ++sent });
      return Math.min(2 * turn - 1, lowestPriority);
    },
    suspend: () => Math.min(2 * front(), lowestPriority),
  };
}

const turnOf = (priority: number): number => Math.ceil(priority / 2);
