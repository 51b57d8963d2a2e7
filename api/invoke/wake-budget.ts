/**
 * How long a call may wait for its actor to wake. The time stands still while the actor is put to sleep: that has a
 * deadline of its own, and a call is not to be dropped because it came at that moment.
 */
export interface WakeBudget extends Disposable {
  /** Ends when the time is used up. */
  readonly signal: AbortSignal;
  hold(held: boolean): void;
}

export function wakeBudget(limitMs: number): WakeBudget {
  const spent = new AbortController();
  let leftMs = limitMs;
  let runningSince = performance.now();
  const start = (): NodeJS.Timeout => setTimeout(() => spent.abort(new Error('the wake limit is over')), leftMs);
  let timer: NodeJS.Timeout | undefined = start();
  return {
    signal: spent.signal,
    hold(held) {
      if (held === (timer === undefined)) return;
      if (held) {
        clearTimeout(timer);
        timer = undefined;
        leftMs = Math.max(0, leftMs - (performance.now() - runningSince));
      } else {
        runningSince = performance.now();
        timer = start();
      }
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
