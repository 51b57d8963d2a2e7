/**
 * The actors that a ladder calls. Running ones are shared, in turns. Sleeping ones are each lent to one call and put back
 * to sleep behind it; a call that finds none waits, which counts as its latency. A sleep that fails takes the actor out
 * of the pool; when none is left, waiting ends with `no-capacity`.
 */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { Bench } from './series.ts';
import { putToSleep, sleepingActors, usedActor } from './sleeping-actor.ts';

export interface ActorPool {
  take(signal: AbortSignal): Promise<string>;
  giveBack(actor: string, signal: AbortSignal): void;
  /** Resolves when nothing is falling asleep any more. */
  atRest(): Promise<void>;
}

export interface PoolOptions {
  readonly kind: 'hot' | 'warm';
  readonly actors: number;
}

export const createActorPool = (bench: Bench, options: PoolOptions, signal: AbortSignal): Promise<ActorPool> =>
  options.kind === 'hot' ? sharedPool(bench, options.actors, signal) : lendingPool(bench, options.actors, signal);

async function sharedPool(bench: Bench, count: number, signal: AbortSignal): Promise<ActorPool> {
  const actors: string[] = [];
  while (actors.length < count) actors.push(await usedActor(bench, signal));
  let turn = 0;
  return {
    take: () => Promise.resolve(actors[turn++ % actors.length] ?? ''),
    giveBack: () => undefined,
    atRest: () => Promise.resolve(),
  };
}

async function lendingPool(bench: Bench, count: number, signal: AbortSignal): Promise<ActorPool> {
  const asleep = await sleepingActors(bench, count, signal);
  const waiting: PromiseWithResolvers<string>[] = [];
  const falling = new Set<Promise<void>>();
  let left = count;

  function lend(actor: string): void {
    const next = waiting.shift();
    if (next === undefined) asleep.push(actor);
    else next.resolve(actor);
  }

  function lose(error: unknown): void {
    if (--left > 0) return;
    const none = new DormouseError('no-capacity', 'no actor could be put to sleep any more', { cause: error });
    for (const one of waiting.splice(0)) one.reject(none);
  }

  return {
    take(running) {
      const ready = asleep.shift();
      if (ready !== undefined) return Promise.resolve(ready);
      const turn = Promise.withResolvers<string>();
      waiting.push(turn);
      const end = (): void => turn.reject(running.reason);
      running.addEventListener('abort', end, { once: true });
      return turn.promise.finally(() => running.removeEventListener('abort', end));
    },
    giveBack(actor, running) {
      const sleep = putToSleep(bench, 'ladder', actor, running)
        .then(() => lend(actor), lose)
        .finally(() => falling.delete(sleep));
      falling.add(sleep);
    },
    async atRest() {
      while (falling.size > 0) await Promise.all(falling);
    },
  };
}
