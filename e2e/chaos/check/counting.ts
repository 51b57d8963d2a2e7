/**
 * Rules about the answered counts of one actor. A count is the number of increments in the state that the activation
 * holds, its own included; an activation starts from the newest generation that an earlier one committed, or from 0.
 */
import { compareEpochs, type LogFact, type Violation } from '../evidence.ts';
import type { Counted, Uncounted } from '../history.ts';

export interface Counting {
  readonly actor: string;
  readonly counted: readonly Counted[];
  readonly unknown: readonly Uncounted[];
  readonly log: readonly LogFact[];
}

type Rule = (counting: Counting) => string[];

export function checkCounting(counting: Counting): Violation[] {
  const rules: Readonly<Record<string, Rule>> = {
    'memory-and-file-agree': memoryAndFileAgree,
    'no-duplicate-in-an-activation': noDuplicates,
    'order-within-an-activation': keepsOrder,
    'no-gap-without-an-unknown-call': noUnexplainedGaps,
    'nothing-covered-is-lost': nothingCoveredIsLost,
  };
  return Object.entries(rules).flatMap(([rule, check]) =>
    check(counting).map((words) => ({ rule, actor: counting.actor, words })),
  );
}

/** Both are in one snapshot, and one request changes both under a lock. */
const memoryAndFileAgree: Rule = ({ counted }) =>
  counted
    .filter(({ memory, file }) => memory !== file)
    .map(({ memory, file, epoch }) => `memory says ${memory}, the file ${file}, at epoch ${epoch}`);

const noDuplicates: Rule = ({ counted }) =>
  [...byEpoch(counted)].flatMap(([epoch, calls]) => {
    const seen = new Set<number>();
    return calls
      .filter(({ memory }) => seen.size === seen.add(memory).size)
      .map(({ memory }) => `two calls were answered ${memory} at epoch ${epoch}`);
  });

/** A call that began after another one was answered sees it. */
const keepsOrder: Rule = ({ counted }) =>
  [...byEpoch(counted)].flatMap(([epoch, calls]) => {
    const words: string[] = [];
    for (const { later, highest } of withHighestBefore(calls)) {
      if (later.memory > highest) continue;
      words.push(`${later.memory} was answered at epoch ${epoch} to a call that began after ${highest} was answered`);
    }
    return words;
  });

/** Each call with the highest count that was answered before it began. */
function withHighestBefore(calls: readonly Counted[]): { later: Counted; highest: number }[] {
  const completed = calls.toSorted((a, b) => a.completedAt - b.completedAt);
  let next = 0;
  let highest = -1;
  return calls
    .toSorted((a, b) => a.invokedAt - b.invokedAt)
    .map((later) => {
      for (; (completed[next]?.completedAt ?? Infinity) < later.invokedAt; next++)
        highest = Math.max(highest, completed[next]?.memory ?? -1);
      return { later, highest };
    });
}

interface Gap {
  readonly missing: number;
  /** The missing increments were made before this. */
  readonly before: number;
}

/**
 * Increments that nobody was answered must be calls whose answer was lost, each of which counts once at most. With only
 * a latest moment for each gap, filling the gaps in that order is enough to know whether all can be filled.
 */
const noUnexplainedGaps: Rule = ({ counted, unknown, log }) => {
  const begun = unknown.map(({ invokedAt }) => invokedAt).sort((a, b) => a - b);
  let needed = 0;
  for (const { missing, before } of gapsOf(counted, log).sort((a, b) => a.before - b.before)) {
    needed += missing;
    const available = begun.filter((invokedAt) => invokedAt < before).length;
    if (needed > available) return [`${needed} increments that nobody made (${available} calls have no known outcome)`];
  }
  return [];
};

function gapsOf(counted: readonly Counted[], log: readonly LogFact[]): Gap[] {
  const epochs = byEpoch(counted);
  const highestUpTo = (epoch: string | undefined): number =>
    epoch === undefined ? 0 : Math.max(highestOf(epochs.get(epoch) ?? []), highestUpTo(baseOf(log, epoch)));
  return [...epochs].flatMap(([epoch, calls]) => {
    let last = highestUpTo(baseOf(log, epoch));
    const gaps: Gap[] = [];
    for (const { memory, completedAt } of calls.toSorted((a, b) => a.memory - b.memory)) {
      if (memory > last + 1) gaps.push({ missing: memory - last - 1, before: completedAt });
      last = Math.max(last, memory);
    }
    return gaps;
  });
}

/** What was answered before a generation was captured is in it, and every later activation has it. */
const nothingCoveredIsLost: Rule = ({ counted, log }) => {
  const snapshots = log.filter((fact) => fact.kind === 'snapshot');
  const covered = snapshots.map((by) => ({ by, count: highestOf(counted.filter((call) => isCovered(call, by))) }));
  return [...byEpoch(counted)].flatMap(([epoch, calls]) => {
    const lowest = Math.min(...calls.map(({ memory }) => memory));
    return covered
      .filter(({ by, count }) => compareEpochs(by.epoch, epoch) < 0 && lowest <= count)
      .map(
        ({ by, count }) =>
          `${lowest} was answered at epoch ${epoch}, but ${count} stands in generation ${by.generation} (epoch ${by.epoch})`,
      );
  });
};

const isCovered = (call: Counted, by: LogFact & { kind: 'snapshot' }): boolean =>
  call.epoch === by.epoch && call.completedAt <= by.capturedAt;

/** The activation whose generation this one began with; none when it was the golden. */
const baseOf = (log: readonly LogFact[], epoch: string): string | undefined =>
  log.findLast((fact) => fact.kind === 'snapshot' && compareEpochs(fact.epoch, epoch) < 0)?.epoch;

const highestOf = (calls: readonly Counted[]): number => Math.max(0, ...calls.map(({ memory }) => memory));

const byEpoch = (counted: readonly Counted[]): Map<string, Counted[]> => Map.groupBy(counted, ({ epoch }) => epoch);
