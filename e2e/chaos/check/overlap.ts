/**
 * Rules about who ran when. Two sources: the answers of the clients (an older activation answers a call that began after a
 * newer one had answered) and the nodes' own logs (two activations whose VMs could run at the same time).
 */
import { compareEpochs, type LogFact, type RunningInterval, type Violation } from '../evidence.ts';
import type { Counted } from '../history.ts';

export interface Lives {
  readonly actor: string;
  readonly counted: readonly Counted[];
  readonly intervals: readonly RunningInterval[];
  readonly log: readonly LogFact[];
}

export const checkOverlap = ({ actor, counted, intervals, log }: Lives): Violation[] => [
  ...oldAnswers(counted).map((words) => ({ rule: 'no-answer-of-an-older-activation', actor, words })),
  ...runTogether(intervals).map((words) => ({ rule: 'one-activation-at-a-time', actor, words })),
  ...epochsOutOfOrder(log).map((words) => ({ rule: 'epochs-rise-in-the-log', actor, words })),
  ...lateCommits(log).map((words) => ({ rule: 'no-commit-after-its-fence', actor, words })),
];

function oldAnswers(counted: readonly Counted[]): string[] {
  const completed = counted.toSorted((a, b) => a.completedAt - b.completedAt);
  let next = 0;
  let newest: Counted | undefined;
  const words: string[] = [];
  for (const call of counted.toSorted((a, b) => a.invokedAt - b.invokedAt)) {
    for (; (completed[next]?.completedAt ?? Infinity) < call.invokedAt; next++) {
      const answered = completed[next];
      if (answered !== undefined && (newest === undefined || compareEpochs(answered.epoch, newest.epoch) > 0))
        newest = answered;
    }
    if (newest === undefined || compareEpochs(call.epoch, newest.epoch) >= 0) continue;
    words.push(
      `epoch ${call.epoch} answered ${call.memory} to a call that began after epoch ${newest.epoch} had answered`,
    );
  }
  return words;
}

function runTogether(intervals: readonly RunningInterval[]): string[] {
  const sorted = intervals.toSorted((a, b) => a.from - b.from);
  return sorted.flatMap((earlier, index) =>
    sorted
      .slice(index + 1)
      .filter((later) => later.from < (earlier.to ?? Infinity) && !isSame(earlier, later))
      .map((later) => {
        const overlapMs = Math.round(Math.min(earlier.to ?? Infinity, later.to ?? Infinity) - later.from);
        return `epoch ${earlier.epoch} on ${earlier.node} and epoch ${later.epoch} on ${later.node} ran together for ${overlapMs} ms`;
      }),
  );
}

const isSame = (a: RunningInterval, b: RunningInterval): boolean =>
  a.epoch === b.epoch && a.node === b.node && a.vm === b.vm;

/** An activation that commits later is a later one, and its generation a higher one. */
function epochsOutOfOrder(log: readonly LogFact[]): string[] {
  const snapshots = log.filter((fact) => fact.kind === 'snapshot').sort((a, b) => a.seq - b.seq);
  return snapshots.flatMap((later, index) => {
    const earlier = snapshots[index - 1];
    if (earlier === undefined) return [];
    const rises = compareEpochs(earlier.epoch, later.epoch) <= 0 && later.generation === earlier.generation + 1;
    if (rises) return [];
    return [
      `entry ${later.seq} is generation ${later.generation} of epoch ${later.epoch}, after generation ${earlier.generation} of epoch ${earlier.epoch}`,
    ];
  });
}

function lateCommits(log: readonly LogFact[]): string[] {
  return log.flatMap((fence) => {
    if (fence.kind !== 'fence') return [];
    return log
      .filter((fact) => fact.kind === 'snapshot' && fact.seq > fence.seq && fact.epoch === fence.epoch)
      .map((fact) => `epoch ${fence.epoch} was fenced by entry ${fence.seq} and committed entry ${fact.seq}`);
  });
}
