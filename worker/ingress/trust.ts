/** Whether a call comes from an api (shared/http/node-pass.ts). Strangers are told of in the log, now and then. */
import { passChecker, type PassCheck } from '../../shared/http/node-pass.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';

/** Whoever tries ports does it many times a second. */
const warnEveryMs = 60_000;

export function trustApis(passKey: string, log: Logger): PassCheck {
  const isPass = passChecker(passKey);
  let warnedAt = -Infinity;
  let strangers = 0;
  return (pass) => {
    if (isPass(pass)) return true;
    strangers++;
    if (performance.now() - warnedAt >= warnEveryMs) {
      log.warn({ strangers }, 'refused callers without a valid pass: strangers, or clocks that are minutes apart');
      warnedAt = performance.now();
      strangers = 0;
    }
    return false;
  };
}
