/**
 * How long a call may wait for its actor to wake: until its client leaves, or the time is used up. The time stands still
 * while the actor is put to sleep: that has a deadline of its own, and a call is not to be dropped because it came at that
 * moment.
 */
export interface WakeBudget extends Disposable {
  /** Ends when the time is used up, or with the call, for its reason. */
  readonly signal: AbortSignal;
  hold(held: boolean): void;
}

export function wakeBudget(limitMs: number, call: AbortSignal): WakeBudget {
  const spent = new AbortController();
  // Its own listener, not a joined signal: one of those is weakly held work for the collector in every wake.
  const callEnded = (): void => spent.abort(call.reason);
  if (call.aborted) callEnded();
  call.addEventListener('abort', callEnded);
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
    [Symbol.dispose]() {
      call.removeEventListener('abort', callEnded);
      clearTimeout(timer);
    },
  };
}
