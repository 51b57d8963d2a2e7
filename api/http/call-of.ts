/** What a request says about the actor that it is for, whatever is asked of it: an invocation, or what is inside. */
import type { IncomingMessage } from 'node:http';
import { currentScope, requestScope, type TraceScope } from '../../shared/telemetry/trace-scope.ts';
import type { Call } from '../invoke/reach.ts';

export const callOf = (
  request: IncomingMessage,
  id: string,
  waitSignal: () => AbortSignal,
  trace: () => TraceScope,
): Call => ({ id, mayWake: request.headers['dormouse-wake'] !== 'never', waitSignal, trace });

/** A call whose session lasts no longer than its signal. */
export interface SessionCall extends Call {
  readonly signal: AbortSignal;
}

export const sessionCallOf = (
  request: IncomingMessage,
  requestId: string,
  id: string,
  signal: AbortSignal,
): SessionCall => ({
  ...callOf(
    request,
    id,
    () => signal,
    () => currentScope() ?? requestScope(request, requestId),
  ),
  signal,
});
