/**
 * A scenario is made of series, each a row of the report: a way to call actors. A series is measured round by round, in
 * turns with the others of its scenario, or once for a long time.
 */
import type { Random } from '../load/random.ts';
import type { Recorder } from '../recorder.ts';
import type { Ladder, LeakReport, StartKind } from '../result/result.ts';
import type { Target } from '../target/target.ts';
import type { Progress } from '../progress.ts';

export interface Series {
  readonly name: string;
  /** What the answers must say about their start: another start is counted apart. Without it any start will do. */
  readonly expects?: StartKind;
  measure(signal: AbortSignal): Promise<void>;
}

/** What the series of one run share. */
export interface Bench {
  readonly target: Target;
  readonly recorder: Recorder;
  readonly progress: Progress;
  readonly random: Random;
  /** The path that is called. */
  readonly path: string;
}

/** What the rounds of a scenario are made of, and what is to be said about their results. */
export interface Scenario {
  readonly series: readonly Series[];
  readonly warmUpRounds: number;
  readonly rounds: number;
  /** Pairs of series: the first is compared with the second. */
  readonly comparisons?: readonly (readonly [of: string, to: string])[];
  readonly notes?: readonly string[];
  /** What was found out besides the calls; asked for when the rounds are over. */
  readonly findings?: () => Findings;
  /** Failed calls are what the scenario looks for, and no failure of the run. */
  readonly toleratesFailures?: boolean;
}

export interface Findings {
  readonly ladder?: Ladder;
  readonly leaks?: LeakReport;
}

/** The same work for each series in each round, and a different series first each time: no one profits from its place. */
export function roundOrder<Item>(items: readonly Item[], round: number): Item[] {
  const first = items.length === 0 ? 0 : round % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
