/** Looks again and again until it sees what it waits for. Failures: `wait-timeout`, or the reason of the aborted signal. */
import { DormouseApiError } from './api-error.ts';

/** Short against the shortest start of an actor, long against one look at a loopback api. */
const intervalMs = 100;

export interface PollOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Returns the first result of `look` that is not undefined. */
export async function poll<Result>(
  what: string,
  options: PollOptions,
  look: () => Promise<Result | undefined>,
): Promise<Result> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    const result = await look();
    if (result !== undefined) return result;
    if (performance.now() + intervalMs > deadline) throw waitedInVain(what, options.timeoutMs);
    await pause(intervalMs, options.signal);
  }
}

export function waitedInVain(what: string, timeoutMs: number): DormouseApiError {
  const message = `${what}: not within ${timeoutMs} ms`;
  return new DormouseApiError({ status: 0, code: 'wait-timeout', message, retryable: true });
}

/** Not node:timers/promises: the client runs wherever `fetch` does. */
export function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    const abort = (): void => {
      end();
      reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted', { cause: signal?.reason }));
    };
    const timer = setTimeout(() => {
      end();
      resolve();
    }, milliseconds);
    if (signal?.aborted === true) abort();
    else signal?.addEventListener('abort', abort);
  });
}
