/** Rules about what one actor's clients were told outright: a suspend that was done, the generations that were shown. */
import type { Strike, Violation } from '../evidence.ts';
import type { Counted, HistoryEvent, Look, Move } from '../history.ts';

export interface Told {
  readonly actor: string;
  /** All of them about this actor. */
  readonly history: readonly HistoryEvent[];
  readonly counted: readonly Counted[];
  readonly rollbacks: readonly Rollback[];
}

/** A time in which Redis was brought back to an older state of itself. */
export type Rollback = Pick<Strike, 'from' | 'to'>;

export const checkPromises = (told: Told): Violation[] => [
  ...suspendKeeps(told).map((words) => ({ rule: 'a-done-suspend-keeps-what-was-answered', actor: told.actor, words })),
  ...generationsRise(told).map((words) => ({ rule: 'generations-never-fall', actor: told.actor, words })),
];

/** Whoever was answered, and was then told that this very activation's state is durable, never sees that count again. */
function suspendKeeps({ history, counted }: Told): string[] {
  const done = history.filter(
    (event): event is Move & { epoch: string } => event.kind === 'move' && event.epoch !== undefined,
  );
  return done.flatMap(({ epoch, invokedAt, completedAt }) => {
    const before = counted.filter((call) => call.epoch === epoch && call.completedAt <= invokedAt);
    const kept = Math.max(0, ...before.map(({ memory }) => memory));
    return counted
      .filter((call) => call.invokedAt >= completedAt && call.memory <= kept)
      .map(
        (call) => `${call.memory} was answered at epoch ${call.epoch} after a suspend of epoch ${epoch} kept ${kept}`,
      );
  });
}

/**
 * A Redis that came back older shows what it remembers until the actor's next activation, which has an epoch of the new life
 * and begins with what the store has.
 */
function generationsRise({ history, rollbacks }: Told): string[] {
  const looks = history
    .filter((event): event is Look => event.kind === 'look')
    .sort((a, b) => a.invokedAt - b.invokedAt);
  return looks.flatMap((later) => {
    const earlier = looks.filter((look) => look.completedAt < later.invokedAt && !isRemembered(later, look, rollbacks));
    const highest = Math.max(0, ...earlier.map(({ generation }) => generation));
    if (later.generation >= highest) return [];
    return [`generation ${later.generation} was shown after generation ${highest}`];
  });
}

const isRemembered = (later: Look, earlier: Look, rollbacks: readonly Rollback[]): boolean =>
  lifeOf(later.epoch) <= lifeOf(earlier.epoch) &&
  rollbacks.some(({ from, to }) => earlier.completedAt < to && from < later.invokedAt);

/** The registry's life that gave an epoch out; 0 for an actor that nobody ever called. */
const lifeOf = (epoch: string | undefined): number => Number(epoch?.split('.')[0] ?? 0);
