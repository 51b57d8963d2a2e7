/**
 * The order of a node's queue: lanes (the actors of one template in one namespace) take turns, by start-time fair queuing.
 * A wake's turn is one after the last of its lane, but never before the turn that the node has come to: who comes with one
 * wake is next, however many of another lane wait, and nobody who waits is overtaken for good by later ones of its own lane.
 * In a turn a wake of a lane of which nothing waits comes before later ones of others, and what puts actors to sleep comes last.
 * A namespace with many lanes gets no more by them: beyond a few, they share its turns.
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

/** Of one namespace, in each turn. Its templates hardly wait for each other, and hundreds of them are four to the others. */
const lanesInATurn = 4;

/**
 * Wakes of a lane in one turn, as long as each came when none of it waited: before what puts actors to sleep, which a lane
 * that calls one actor after the other would otherwise wait for each time.
 */
const loneInATurn = 4;

export interface Lane {
  readonly namespace: string;
  /** Qualified (shared/actor/namespace.ts): other namespaces may use it, each in a lane of its own. */
  readonly template: string;
}

/** The same text for the same lane alone: neither name has a space in it. */
export const laneKey = ({ namespace, template }: Lane): string => `${namespace} ${template}`;

/** Priorities, 1 the first. What puts actors to sleep comes behind the wakes of its turn. */
export interface NodeLine {
  wake(lane: Lane): number;
  suspend(): number;
}

/** `lowestWaiting`: the lowest priority that waits in the queue, or 0. When it cannot be told, the last look stays. */
export function createNodeLine(
  lowestWaiting: () => Promise<number>,
  now: () => number = () => performance.now(),
): NodeLine {
  const ahead = new Map<string, Map<string, Sent>>(); // by namespace and template: of lanes that are ahead of the queue
  let sent = 0; // wakes
  let reached: Reached = { turn: 1, isAtSuspends: false, atMs: -Infinity };
  let lookedAtMs = -Infinity;

  const look = async (): Promise<void> => {
    lookedAtMs = now();
    const sentBefore = sent; // what is sent meanwhile is not in the answer
    const lowest = await lowestWaiting();
    const [turn, place] = lowest === 0 ? [1, undefined] : turnOf(lowest);
    const isAtSuspends = place === 'to sleep';
    reached = { turn, isAtSuspends, atMs: now() };
    for (const [namespace, lanes] of ahead) {
      for (const [template, last] of lanes) {
        if (last.number > sentBefore) continue;
        if (lowest === 0 || last.turn < turn) lanes.delete(template);
        else if (isAtSuspends && last.turn === turn) last.isBegun = true;
      }
      if (lanes.size === 0) ahead.delete(namespace);
    }
  };
  const front = (): Reached => {
    if (now() - lookedAtMs > lookEveryMs) look().catch(() => undefined);
    return now() - reached.atMs > trustMs ? { ...reached, turn: 1, isAtSuspends: false } : reached;
  };
  return {
    wake({ namespace, template }) {
      const lanes = ahead.get(namespace) ?? new Map<string, Sent>();
      const last = lanes.get(template);
      const others = lanes.size - (last === undefined ? 0 : 1);
      const shared = Math.floor(others / lanesInATurn);
      const { turn: frontTurn } = front();
      const isAgain = last?.isBegun === true && last.turn === frontTurn && last.times < loneInATurn;
      const after = last === undefined || isAgain ? 0 : last.turn + shared + 1;
      const turn = Math.max(frontTurn + shared, after);
      const times = isAgain ? last.times + 1 : 1;
      ahead.set(namespace, lanes.set(template, { turn, times, number: ++sent, isBegun: false }));
      return priorityOf(turn, last === undefined || last.isBegun ? 'none before it' : 'later');
    },
    suspend() {
      const { turn, isAtSuspends } = front();
      return priorityOf(isAtSuspends ? turn + 1 : turn, 'to sleep');
    },
  };
}

/** How far the queue has come. */
interface Reached {
  readonly turn: number;
  /** All wakes of the turn are begun. */
  readonly isAtSuspends: boolean;
  readonly atMs: number;
}

/** The last wake of a lane. */
interface Sent {
  readonly turn: number;
  /** Wakes of the lane in this turn. */
  readonly times: number;
  readonly number: number;
  /** None of the lane waits. */
  isBegun: boolean;
}

const placesInATurn = ['none before it', 'later', 'to sleep'] as const;
type Place = (typeof placesInATurn)[number];

const priorityOf = (turn: number, place: Place): number =>
  Math.min(placesInATurn.length * (turn - 1) + placesInATurn.indexOf(place) + 1, lowestPriority);

function turnOf(priority: number): readonly [turn: number, place: Place | undefined] {
  const count = placesInATurn.length;
  return [Math.ceil(priority / count), placesInATurn[(priority - 1) % count]];
}
