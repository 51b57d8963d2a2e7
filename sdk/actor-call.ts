/**
 * Calls to an actor, through `fetch`'s own types. The actor's answer comes back as it is, whatever its status; only a
 * refusal by Dormouse itself (asleep, no room, not woken in time …) is thrown. Answers of an actor carry
 * `Dormouse-Start`, refusals do not: that tells an actor's own problem document from ours.
 */
import { errorFromAnswer, isProblem } from './api-error.ts';
import { invokeUrl } from './request-path.ts';
import type { Transport } from './transport.ts';

export const startHeader = 'dormouse-start';

export interface ActorHandle {
  readonly id: string;
  /** Wakes the actor if it sleeps. `path` may carry a query. Redirects are returned, not followed. */
  fetch(path?: string, init?: RequestInit): Promise<Response>;
}

export function actorHandle(transport: Transport, id: string): ActorHandle {
  return {
    id,
    async fetch(path = '/', init = {}) {
      const response = await transport.send(invokeUrl(transport.baseUrl, id, path), withDefaults(init));
      if (isProblem(response) && !response.headers.has(startHeader)) throw await errorFromAnswer(response);
      return response;
    },
  };
}

function withDefaults(init: RequestInit): RequestInit {
  // An actor's redirect points into the actor, but its path would be resolved against the api.
  const request: RequestInit & { duplex?: 'half' } = { redirect: 'manual', ...init };
  // fetch insists on this for every body that is a stream.
  if (init.body instanceof ReadableStream) request.duplex = 'half';
  return request;
}
