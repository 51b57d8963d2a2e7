/**
 * Ctrl-C and its kin end the measuring, not the process: the actors of the run must be deleted first. A second one, when
 * that takes too long for the person at the terminal, ends the process at once.
 */
import { constants } from 'node:os';

export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  /** As shells count: 128 and the signal's number. */
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') {
    super(`interrupted by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** Under npm one Ctrl-C can arrive twice: from the terminal, and passed on by npm. */
const samePressMs = 1000;

export function interruptible(say: (text: string) => void): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  let firstAt: number | undefined;
  const listeners = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((name) => {
    const listener = (): void => {
      const interrupted = new Interrupted(name);
      if (firstAt !== undefined && performance.now() - firstAt > samePressMs) process.exit(interrupted.exitCode);
      if (firstAt !== undefined) return;
      firstAt = performance.now();
      say('interrupted: deleting what this run made (once more: leave it behind)');
      controller.abort(interrupted);
    };
    process.on(name, listener);
    return () => process.off(name, listener);
  });
  return { signal: controller.signal, [Symbol.dispose]: () => listeners.forEach((remove) => remove()) };
}
