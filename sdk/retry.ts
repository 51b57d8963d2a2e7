/**
 * Trying again what may be tried again: a call that changes nothing when it is repeated (GET, PUT, DELETE, and POST with
 * an `Idempotency-Key`), after an error that says a retry can help. `Retry-After` is honoured; a longer one than we are
 * ready to wait is the caller's decision, so the error is thrown at once.
 */
import { DormouseApiError } from './api-error.ts';
import { pause } from './polling.ts';

/** Without `Retry-After`: 100 ms, 200 ms, 400 ms … */
const firstPauseMs = 100;
/** The api itself never asks for more than this; a proxy in maintenance may ask for an hour. */
const longestPauseMs = 10_000;

/** Answers that came in time and only say that a wait was in vain: asking again is a longer wait. */
const endings: ReadonlySet<string> = new Set(['wait-timeout', 'wake-timeout', 'exec-timeout']);

export interface RetryOptions {
  /** How many times after the first. */
  readonly retries: number;
  readonly signal?: AbortSignal | undefined;
}

export async function withRetries<Result>(options: RetryOptions, attempt: () => Promise<Result>): Promise<Result> {
  for (let tried = 0; ; tried++) {
    try {
      return await attempt();
    } catch (error) {
      const pauseMs = tried < options.retries ? pauseBefore(error, tried) : undefined;
      if (pauseMs === undefined) throw error;
      await pause(pauseMs, options.signal);
    }
  }
}

/** Undefined: a retry would not help, or not soon. */
export function pauseBefore(error: unknown, tried: number): number | undefined {
  if (!(error instanceof DormouseApiError) || !error.retryable || endings.has(error.code)) return undefined;
  if (error.retryAfterMs !== undefined) return error.retryAfterMs > longestPauseMs ? undefined : error.retryAfterMs;
  // A little chance, so that clients that were refused together do not come back together.
  return Math.min(longestPauseMs, firstPauseMs * 2 ** tried) * (0.75 + Math.random() / 2);
}
