/**
 * Structured logs on standard error: fixed lower-case messages, variables in fields. A line that is written for a request
 * or a job has the `traceId` of it.
 */
import { pino, type Logger } from 'pino';
import { currentScope } from './trace-scope.ts';

export type { Logger };

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export function createLogger(level: LogLevel, fields: Record<string, string>): Logger {
  return pino(
    { level, base: fields, timestamp: pino.stdTimeFunctions.isoTime, mixin: traceOfLine },
    pino.destination({ fd: 2, sync: true }),
  );
}

const noTrace = {};

function traceOfLine(): object {
  const scope = currentScope();
  return scope === undefined ? noTrace : { traceId: scope.traceId };
}
