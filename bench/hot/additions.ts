/**
 * What a way to an actor adds to a direct call: the difference of the two medians of one round, which this hour's other work
 * made slower or faster together. A round in which a step failed has none.
 */
import type { Figures } from '../figures.ts';

export const ways = ['direct', 'two hops', 'platform'] as const;
export type Way = (typeof ways)[number];

export interface Additions {
  tell(way: Way, round: number, p50Ms: number): void;
}

/** `label` begins the names of the figures. */
export function createAdditions(figures: Figures, label: string): Additions {
  const rounds = new Map<number, Partial<Record<Way, number>>>();
  return {
    tell(way, round, p50Ms) {
      const told = { ...rounds.get(round), [way]: p50Ms };
      rounds.set(round, told);
      const { direct, platform, 'two hops': hops } = told;
      if (direct === undefined || platform === undefined || hops === undefined) return;
      figures.add(`${label} platform adds`, 'ms', platform - direct);
      figures.add(`${label} two hops add`, 'ms', hops - direct);
    },
  };
}
