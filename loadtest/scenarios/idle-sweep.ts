/** Puts actors to sleep that nobody has called for a while, as a platform's own idle timeout does, only sooner. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Bench } from './series.ts';
import { putToSleep } from './sleeping-actor.ts';

export interface IdleSweep {
  /** Before a call is sent, and when it has ended. */
  began(actor: string): void;
  ended(actor: string): void;
  /** Sweeps until it is over, then waits for the sleeps under way. A sleep that fails is tried again later. */
  run(over: AbortSignal, signal: AbortSignal): Promise<void>;
}

/** Short against any idle time worth simulating. */
const lookEveryMs = 100;

export function createIdleSweep(bench: Bench, series: string, idleMs: number): IdleSweep {
  const awake = new Map<string, { inFlight: number; endedAt: number }>();
  const falling = new Set<Promise<void>>();

  function sweep(signal: AbortSignal): void {
    for (const [actor, { inFlight, endedAt }] of awake) {
      if (inFlight > 0 || performance.now() - endedAt < idleMs) continue;
      awake.delete(actor);
      const sleep = putToSleep(bench, series, actor, signal)
        .catch(() => {
          if (!awake.has(actor)) awake.set(actor, { inFlight: 0, endedAt: performance.now() });
        })
        .finally(() => falling.delete(sleep));
      falling.add(sleep);
    }
  }

  return {
    began(actor) {
      const state = awake.get(actor);
      awake.set(actor, { inFlight: (state?.inFlight ?? 0) + 1, endedAt: 0 });
    },
    ended(actor) {
      const inFlight = Math.max(0, (awake.get(actor)?.inFlight ?? 1) - 1);
      awake.set(actor, { inFlight, endedAt: performance.now() });
    },
    async run(over, signal) {
      const ended = AbortSignal.any([over, signal]);
      while (!ended.aborted) {
        sweep(signal);
        await delay(lookEveryMs, undefined, { signal: ended }).catch(() => undefined);
      }
      await Promise.all(falling);
    },
  };
}
