/** A series is one row of the report: a way to call an actor, repeated round by round. */
import type { DormouseClient } from '../../sdk/client.ts';
import type { StartKind } from '../../shared/registry/records.ts';
import type { MadeThings } from '../made-things.ts';
import type { Sample } from '../sample.ts';

export interface Series {
  readonly name: string;
  /** What the answers of this series must say about their start; another start is counted apart. */
  readonly expects: StartKind;
  measure(round: number, signal: AbortSignal): Promise<readonly Sample[]>;
}

/** What the series of one run share. */
export interface Bench {
  readonly client: DormouseClient;
  readonly made: MadeThings;
  /** The path that is called. */
  readonly path: string;
}

/** The same work for each series in each round, and a different series first each time: no one profits from its place. */
export function roundOrder<Item>(items: readonly Item[], round: number): Item[] {
  const first = items.length === 0 ? 0 : round % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
