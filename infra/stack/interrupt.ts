/**
 * Ctrl-C, SIGTERM and a closed terminal. The first asks for a graceful stop, the second for an immediate one.
 * One key press arrives twice under `npm start` (from the terminal and, forwarded, from npm), so what follows within the
 * blink of an eye is the same press.
 */
const samePressMs = 500;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interrupts extends Disposable {
  readonly graceful: AbortSignal;
  readonly immediate: AbortSignal;
}

export function listenForInterrupts(now: () => number = () => performance.now()): Interrupts {
  const graceful = new AbortController();
  const immediate = new AbortController();
  let firstAt: number | undefined;
  const onSignal = (): void => {
    if (firstAt === undefined) {
      firstAt = now();
      graceful.abort();
    } else if (now() - firstAt > samePressMs) {
      immediate.abort();
    }
  };
  for (const signal of signals) process.on(signal, onSignal);
  return {
    graceful: graceful.signal,
    immediate: immediate.signal,
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}
