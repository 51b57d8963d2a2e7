/**
 * In which order parked actors are tried: namespaces take turns, and in each of them its lanes; among equals first who got
 * room longest ago.
 */
import type { Lane } from '../../shared/jobs/node-line.ts';

export interface ParkingOrder {
  /** The first of each lane, then the second of each, …; the order among those of one lane stays. */
  of<Entry extends { readonly lane: Lane }>(entries: Iterable<Entry>): Entry[];
  /** One of the lane got room. */
  served(lane: Lane): void;
  /** Nobody waits any more: all are equals again. */
  clear(): void;
}

export function createParkingOrder(): ParkingOrder {
  const servedAt = new Map<string, number>(); // by namespace, and by lane: the number of its latest that got room
  let count = 0;
  const lastServed = (key: string): number => servedAt.get(key) ?? 0;
  return {
    of(entries) {
      const lanesTakeTurns = inTurns([...entries], ({ lane }) => keyOf(lane), lastServed);
      return inTurns(lanesTakeTurns, ({ lane }) => lane.namespace, lastServed);
    },
    served(lane) {
      count++;
      servedAt.set(lane.namespace, count).set(keyOf(lane), count);
    },
    clear: () => servedAt.clear(),
  };
}

/** A space is in neither, so no namespace is a lane's key. */
export const keyOf = ({ namespace, template }: Lane): string => `${namespace} ${template}`;

/** The first of each group, then the second of each, …; among equals first the group with the lower number. */
function inTurns<Entry>(
  entries: readonly Entry[],
  groupOf: (entry: Entry) => string,
  numberOf: (group: string) => number,
): Entry[] {
  const counts = new Map<string, number>();
  return entries
    .map((entry) => {
      const group = groupOf(entry);
      const turn = counts.get(group) ?? 0;
      counts.set(group, turn + 1);
      return { entry, turn, number: numberOf(group) };
    })
    .sort((a, b) => a.turn - b.turn || a.number - b.number)
    .map(({ entry }) => entry);
}
