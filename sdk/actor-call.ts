/**
 * Calls to an actor, through `fetch`'s own types. The actor's answer comes back as it is, whatever its status; only a
 * refusal by Dormouse itself (asleep, no room, not woken in time …) is thrown. Answers of an actor carry
 * `Dormouse-Start`, refusals do not: that tells an actor's own problem document from ours. Nothing is tried again: what
 * an actor does twice is its caller's business.
 */
import { errorFromAnswer, isProblem } from './api-error.ts';
import { invokeUrl } from './request-path.ts';
import type { Transport } from './transport.ts';

export const startHeader = 'dormouse-start';

export type ActorFetch = (input?: string | URL | Request, init?: RequestInit) => Promise<Response>;

export function actorFetch(transport: Transport, id: string): ActorFetch {
  return async (input = '/', init = {}) => {
    const url = invokeUrl(transport.baseUrl, id, pathOf(input));
    const response = await transport.send(url, await requestInit(input, init));
    if (isProblem(response) && !response.headers.has(startHeader)) throw await errorFromAnswer(response);
    return response;
  };
}

/** A request needs a whole URL to be made; its host means nothing here. */
function pathOf(input: string | URL | Request): string {
  if (typeof input === 'string') return input;
  const { pathname, search } = input instanceof URL ? input : new URL(input.url);
  return pathname + search;
}

async function requestInit(input: string | URL | Request, init: RequestInit): Promise<RequestInit> {
  // An actor's redirect points into the actor, but its path would be resolved against the api.
  const redirect = { redirect: 'manual' } as const;
  if (!(input instanceof Request)) return withDuplex({ ...redirect, ...init });
  const { method, headers, signal } = input;
  // Where a request shows no stream of its body (Firefox), it is read whole.
  const body = method === 'GET' || method === 'HEAD' ? null : (input.body ?? (await input.arrayBuffer()));
  return withDuplex({ ...redirect, method, headers, signal, body, ...init });
}

function withDuplex(init: RequestInit): RequestInit {
  const request: RequestInit & { duplex?: 'half' } = { ...init };
  // fetch insists on this for every body that is a stream.
  if (init.body instanceof ReadableStream) request.duplex = 'half';
  return request;
}
