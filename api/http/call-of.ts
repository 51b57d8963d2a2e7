/** What a request says about the actor that it is for: as an invocation does (invoke/router.ts). */
import type { IncomingMessage } from 'node:http';
import type { Call } from '../invoke/reach.ts';

export function callOf(request: IncomingMessage, id: string, signal: AbortSignal): Call {
  const { traceparent, 'dormouse-wake': wake } = request.headers;
  return {
    id,
    mayWake: wake !== 'never',
    signal,
    // Version 00 has this length; anything else is passed on to the actor but not into our jobs.
    traceparent: typeof traceparent === 'string' && traceparent.length === 55 ? traceparent : undefined,
  };
}
