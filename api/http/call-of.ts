/** What a request says about the actor that it is for, whatever is asked of it: an invocation, or what is inside. */
import type { IncomingMessage } from 'node:http';
import type { Call } from '../invoke/reach.ts';

export function callOf(request: IncomingMessage, id: string, waitSignal: () => AbortSignal): Call {
  const { traceparent, 'dormouse-wake': wake } = request.headers;
  return {
    id,
    mayWake: wake !== 'never',
    waitSignal,
    // Version 00 has this length; anything else is passed on to the actor but not into our jobs.
    traceparent: typeof traceparent === 'string' && traceparent.length === 55 ? traceparent : undefined,
  };
}

/** A call whose session lasts no longer than its signal. */
export interface SessionCall extends Call {
  readonly signal: AbortSignal;
}

export const sessionCallOf = (request: IncomingMessage, id: string, signal: AbortSignal): SessionCall => ({
  ...callOf(request, id, () => signal),
  signal,
});
