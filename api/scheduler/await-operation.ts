/**
 * Waits for an operation to be over. Hints of the registry may be lost, so it is looked at regularly as well: soon, and then
 * less and less often, since thousands may wait at once.
 */
import type { Operation } from '../../shared/registry/records.ts';
import type { Registry } from '../../shared/registry/registry.ts';
import { isOver } from './operations.ts';

const firstLookMs = 500;
const longestPauseMs = 5000;

/** The operation as it stands when it is over, or when the signal ends the wait. */
export async function awaitOperation(
  registry: Pick<Registry, 'watch' | 'getOperation'>,
  operation: Operation,
  signal: AbortSignal,
): Promise<Operation> {
  let wake: () => void = () => undefined;
  let pauseMs = firstLookMs;
  const hint = (): void => wake();
  using _feed = registry.watch((change) => {
    if (change.kind === 'operation' && change.id === operation.id) hint();
  });
  signal.addEventListener('abort', hint);
  try {
    for (;;) {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      wake = () => resolve(undefined); // before the look, so that a change during it counts
      const current = (await registry.getOperation(operation.id)) ?? operation;
      if (isOver(current) || signal.aborted) return current;
      const timer = setTimeout(hint, pauseMs);
      await promise;
      clearTimeout(timer);
      pauseMs = Math.min(2 * pauseMs, longestPauseMs);
    }
  } finally {
    signal.removeEventListener('abort', hint);
  }
}
