/** The one way to wait for something that cannot tell: ask at intervals, under a limit. */
import { setTimeout as delay } from 'node:timers/promises';
import { DormouseError } from '../errors/dormouse-error.ts';

export interface UntilOptions {
  readonly signal: AbortSignal;
  readonly everyMs: number;
  /** Completes "waited too long for …". */
  readonly what: string;
}

/** Resolves when `condition` returns true. Throws what it throws, or `deadline-exceeded` when the signal ends first. */
export async function until(condition: () => Promise<boolean> | boolean, options: UntilOptions): Promise<void> {
  const { signal, everyMs, what } = options;
  for (;;) {
    if (signal.aborted) throw tooLong(what, signal);
    if (await condition()) return;
    await delay(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

export const tooLong = (what: string, signal: AbortSignal): DormouseError =>
  new DormouseError('deadline-exceeded', `waited too long for ${what}`, { cause: signal.reason });
