/**
 * Ties an activation's logs to the life of its sandbox: read while it runs and written down every few seconds, kept as a whole
 * when it stands still and when it ends.
 */
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { LogCollector } from './collector.ts';
import type { LogKeeper } from './keep-logs.ts';

/** What a killed worker takes with it of its actors' lines. An actor that writes nothing costs nothing. */
const flushEveryMs = 5000;

export function recordLogs(
  sandbox: Sandbox,
  logs: LogCollector,
  keeper: LogKeeper,
  { everyMs = flushEveryMs }: { readonly everyMs?: number } = {},
): Sandbox {
  let timer: NodeJS.Timeout | undefined;
  return {
    ...sandbox,
    async wake(identity, signal) {
      await sandbox.wake(identity, signal);
      logs.release();
      timer ??= setInterval(() => keeper.flush(logs.lines()), everyMs).unref();
    },
    async freeze(clock, signal) {
      logs.hold();
      await sandbox.freeze(clock, signal);
      keeper.keep(logs.lines());
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      logs.end();
      await sandbox[Symbol.asyncDispose]();
      keeper.keep(logs.lines());
      await keeper.settled();
    },
  };
}
