/**
 * Writes an activation's life into the log: when its VM could run and when it could not. Whoever reads the logs of all
 * nodes can tell from these lines alone whether two activations of an actor ever ran at once; e2e/chaos does.
 *
 *   started ──► frozen ──► thawed ──► … ──► ended
 *
 * A line about running comes before the VM may run, one about standing still after it does: what is in doubt counts as
 * running. A worker that dies writes no `ended`; its VMs end with it.
 */
import type { Logger } from '../../shared/telemetry/logger.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

export function recordLife(sandbox: Sandbox, log: Logger): Sandbox {
  log.info({ sandbox: sandbox.folder }, 'activation started');
  void sandbox.exited.then(() => log.info('activation ended'));
  return {
    ...sandbox,
    async freeze(clock, signal) {
      await sandbox.freeze(clock, signal);
      log.info('activation frozen');
    },
    async thaw(signal) {
      log.info('activation thawed');
      await sandbox.thaw(signal);
    },
    async [Symbol.asyncDispose]() {
      await sandbox[Symbol.asyncDispose]();
      log.info('activation ended');
    },
  };
}
