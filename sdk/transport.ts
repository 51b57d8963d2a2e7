/**
 * The one place that talks HTTP: address, token, JSON in and out, refusals turned into `DormouseApiError`. Calls that may
 * be repeated are (retry.ts); every POST but `exec` gets an `Idempotency-Key` of its own, so it may be, too.
 */
import { DormouseApiError, errorFromAnswer, unexpectedAnswer } from './api-error.ts';
import type { WebSocketConstructor } from './web-socket.ts';
import { withRetries } from './retry.ts';

export interface ClientOptions {
  /** Where the api answers, e.g. `http://127.0.0.1:7070`; a path prefix is kept. */
  readonly url: string;
  readonly token?: string | undefined;
  /**
   * Where actors and templates are looked for; left out, that of the token, or `default`. `*` lists those of all, with a token
   * that is bound to none, and is good for lists and events alone.
   */
  readonly namespace?: string | undefined;
  /** Instead of the global `fetch`: for tests, proxies, tracing. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** For programs in an actor, where there is no global one (Node 20): the class of the package `ws`. */
  readonly WebSocket?: WebSocketConstructor | undefined;
  /** How many times a call that may be repeated is tried again. Default 2; 0 shows every refusal. */
  readonly retries?: number | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface ChangeOptions extends CallOptions {
  /** Makes a repeated POST answer as the first one did. */
  readonly idempotencyKey?: string | undefined;
}

/** What `fetch` takes as a body. */
export type Content = NonNullable<RequestInit['body']>;

export interface ApiRequest extends ChangeOptions {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** From the root, segments encoded, with its query. */
  readonly path: string;
  readonly body?: object | undefined;
  /** Instead of `body`: sent as it is, once. */
  readonly content?: Content | undefined;
  /** A POST that must not be done twice even when its first answer was lost. */
  readonly once?: boolean | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export interface Transport {
  readonly baseUrl: string;
  /** What says who calls, and in which namespace, given what a request has of its own. */
  readonly credentials: (given?: Headers) => Headers;
  readonly WebSocket: WebSocketConstructor | undefined;
  /** Any answer at all. Throws `api-unreachable`, or the reason of the aborted signal. */
  send(url: string, init: RequestInit): Promise<Response>;
  /** The answer to an API call, unread. Throws a `DormouseApiError` for any status but 2xx. */
  open(request: ApiRequest): Promise<Response>;
  /** The JSON of a 2xx answer, undefined when it has no body. The api's own schemas vouch for its shape. */
  json(request: ApiRequest): Promise<unknown>;
}

export function createTransport(options: ClientOptions): Transport {
  const baseUrl = new URL(options.url).href.replace(/\/+$/, '');
  const fetch = options.fetch ?? globalThis.fetch;

  function credentials(headers = new Headers()): Headers {
    if (options.token !== undefined) authorize(headers, options.token);
    if (options.namespace !== undefined) headers.set('dormouse-namespace', options.namespace);
    return headers;
  }

  async function send(url: string, init: RequestInit): Promise<Response> {
    const headers = credentials(new Headers(init.headers));
    try {
      return await fetch(url, { ...init, headers });
    } catch (error) {
      throw connectionFailure(baseUrl, error, init.signal);
    }
  }

  async function attempt(request: ApiRequest): Promise<Response> {
    const init: RequestInit & { duplex?: 'half' } = {
      method: request.method,
      headers: headersOf(request),
      body: request.content ?? (request.body === undefined ? null : JSON.stringify(request.body)),
      signal: request.signal ?? null,
    };
    // fetch insists on this for every body that is a stream.
    if (request.content instanceof ReadableStream) init.duplex = 'half';
    const response = await send(baseUrl + request.path, init);
    if (!response.ok) throw await errorFromAnswer(response);
    return response;
  }

  const mostRetries = options.retries ?? defaultRetries;

  async function open(given: ApiRequest): Promise<Response> {
    const request = mostRetries > 0 ? withKey(given) : given;
    const retries = mayRepeat(request) ? mostRetries : 0;
    return withRetries({ retries, signal: request.signal }, () => attempt(request));
  }

  async function json(request: ApiRequest): Promise<unknown> {
    const response = await open(request);
    const text = await response.text().catch((error: unknown) => {
      throw connectionFailure(baseUrl, error, request.signal);
    });
    if (text === '') return undefined;
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw unexpectedAnswer(response, text, { cause });
    }
  }

  const { WebSocket: own }: { readonly WebSocket?: unknown } = globalThis;
  const { WebSocket = own as WebSocketConstructor | undefined } = options;
  return { baseUrl, credentials, WebSocket, send, open, json };
}

/** Over within a second when `Retry-After` asks for no more: enough for an api that is being replaced. */
const defaultRetries = 2;

/** What a repeated POST answers is what the first one did, even when its answer was lost on the way. */
function withKey(request: ApiRequest): ApiRequest {
  const wanted = request.method === 'POST' && request.once !== true && request.idempotencyKey === undefined;
  return wanted ? { ...request, idempotencyKey: globalThis.crypto.randomUUID() } : request;
}

const mayRepeat = ({ method, idempotencyKey, content }: ApiRequest): boolean =>
  !(content instanceof ReadableStream) && (method !== 'POST' || idempotencyKey !== undefined);

/** An `Authorization` of the caller's own is meant for the actor: then the token goes beside it. */
function authorize(headers: Headers, token: string): void {
  if (headers.has('authorization')) headers.set('dormouse-token', token);
  else headers.set('authorization', `Bearer ${token}`);
}

function headersOf(request: ApiRequest): Record<string, string> {
  return {
    accept: 'application/json',
    ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(request.idempotencyKey === undefined ? {} : { 'idempotency-key': request.idempotencyKey }),
    ...request.headers,
  };
}

/** What to throw when the connection gave no answer, or only half of one. */
export function connectionFailure(baseUrl: string, error: unknown, signal: AbortSignal | null | undefined): unknown {
  if (signal?.aborted === true) return signal.reason;
  return new DormouseApiError({
    status: 0,
    code: 'api-unreachable',
    message: `no answer from ${baseUrl} (${innermostMessage(error)})`,
    retryable: true,
    cause: error,
  });
}

/** `fetch` says "fetch failed" and keeps what happened (ECONNREFUSED …) in the cause. */
function innermostMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return innermostMessage(error.cause);
  // An AggregateError (every address of a name refused) has no message of its own.
  return error.message === '' && 'code' in error ? String(error.code) : error.message;
}
