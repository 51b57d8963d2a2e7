/** Waiting for whoever calls everything in a set of wake-ups. */

/** Resolves once its wake-up was called. Rejects with the signal's reason. */
export async function nextChange(waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const wake = (): void => resolve(undefined);
  const stop = (): void => reject(signal.reason as Error);
  waiting.add(wake);
  signal.addEventListener('abort', stop);
  try {
    await promise;
  } finally {
    waiting.delete(wake);
    signal.removeEventListener('abort', stop);
  }
}
