/** Ties an activation's logs to the life of its sandbox: read while it runs, kept when it stands still and when it ends. */
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { LogCollector } from './collector.ts';
import type { LogKeeper } from './keep-logs.ts';

export function recordLogs(sandbox: Sandbox, logs: LogCollector, keeper: LogKeeper | undefined): Sandbox {
  return {
    ...sandbox,
    async wake(identity, signal) {
      await sandbox.wake(identity, signal);
      logs.release();
    },
    async freeze(clock, signal) {
      logs.hold();
      await sandbox.freeze(clock, signal);
      keeper?.keep(logs.lines());
    },
    async [Symbol.asyncDispose]() {
      logs.end();
      await sandbox[Symbol.asyncDispose]();
      keeper?.keep(logs.lines());
      await keeper?.settled();
    },
  };
}
