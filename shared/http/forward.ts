/**
 * The streaming core of the two reverse proxies: api → ingress and ingress → actor. It passes one request on and its
 * answer back, with back-pressure both ways, and owns nothing but that one exchange.
 *
 * Before the first byte of an answer there are three ways out, all of which leave the caller's response untouched:
 *   - the target refuses (`refusalOf`): no byte of the body was read, so the caller may send the request elsewhere;
 *   - the target cannot be reached or ends the connection: `actor-unreachable` is thrown;
 *   - the client goes away: `abandoned`.
 * After it, a target that breaks off cuts the client's connection too (`cut`): a short answer must not look complete.
 *
 * A connection that was used before may be dying just as a request is put on it. A request that can be repeated without
 * harm is sent once more, on a fresh connection; one that cannot never goes on a used connection at all.
 */
import {
  Agent,
  request as startRequest,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { DormouseError } from '../errors/dormouse-error.ts';
import { endToEnd, filterHeaders, hasHeader, pairs, type RawHeaders } from './raw-headers.ts';

export interface ForwardTarget {
  readonly host: string;
  readonly port: number;
  /** Keeps connections between requests; without one each request has its own. */
  readonly agent?: Agent;
}

export interface Forward {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: ForwardTarget;
  /** Path and query for the target, as they shall stand in its request line. */
  readonly path: string;
  /** For the target: usually `endToEnd(request.rawHeaders)` and some more. Framing and `Expect` are added here. */
  readonly headers: RawHeaders;
  /** Holds the body back until the target says 100: for a target that may refuse. */
  readonly expectContinue?: boolean;
  /** Called when the target wants the body: the moment to tell the client to go on. */
  readonly onContinue?: () => void;
  /** Tells a refusal from an answer. What it throws ends the exchange and is thrown on. */
  readonly refusalOf?: (answer: IncomingMessage) => string | undefined;
  /** The headers to answer with; by default the target's own, end to end. Called once, when they have come. */
  readonly onAnswer?: (answer: IncomingMessage) => RawHeaders;
  /** Breaks the exchange off, whatever its stage. */
  readonly signal?: AbortSignal;
}

export type ForwardOutcome =
  | { readonly outcome: 'answered'; readonly status: number }
  | { readonly outcome: 'refused'; readonly reason: string }
  /** The client went away. */
  | { readonly outcome: 'abandoned' }
  /** The target broke its answer off; the client's connection was cut. */
  | { readonly outcome: 'cut' };

/** A target on a private network that does not accept within this time is not there. */
const connectTimeoutMs = 5000;
/** A target that may refuse decides at once; one that says nothing for this long is stuck. */
const continueTimeoutMs = 15_000;

/**
 * For a request with a connection of its own: never kept, yet the target is told `keep-alive`. A target told `close` may
 * answer early and close with some of the body unread, which resets the connection and loses its answer.
 */
const ownConnection = Object.assign(new Agent({ keepAlive: true }), { keepSocketAlive: () => false });

const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** Whether the client sends a body, and how its length is told. */
export function framingOf(request: IncomingMessage): 'none' | 'length' | 'chunked' {
  if (request.headers['transfer-encoding'] !== undefined) return 'chunked';
  return Number(request.headers['content-length'] ?? 0) > 0 ? 'length' : 'none';
}

/** Passes the request on and the answer back; settles when the exchange is over. */
export async function forward(exchange: Forward): Promise<ForwardOutcome> {
  const { target, request, expectContinue = false } = exchange;
  const replayable = framingOf(request) === 'none' ? idempotent.has(request.method ?? '') : expectContinue;
  if (target.agent === undefined || !replayable) return (await attempt(exchange, undefined)) ?? unreachable(exchange);
  return (await attempt(exchange, target.agent)) ?? (await attempt(exchange, undefined)) ?? unreachable(exchange);
}

/** One try. Undefined when a used connection turned out to be dead before the target could have seen the request. */
function attempt(exchange: Forward, agent: Agent | undefined): Promise<ForwardOutcome | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<ForwardOutcome | undefined>();
  const { request, response, signal } = exchange;
  if (response.destroyed) return Promise.resolve({ outcome: 'abandoned' });
  const upstream = openUpstream(exchange, agent);
  const scope = new DisposableStack();
  let stage: 'asking' | 'sending' | 'answering' = 'asking';

  const sendBody = (): void => {
    if (stage !== 'asking') return;
    stage = 'sending';
    exchange.onContinue?.();
    scope.defer(pipeBody(request, upstream));
  };
  const clientGone = (): void => {
    if (response.writableFinished) return;
    upstream.destroy();
    resolve({ outcome: 'abandoned' });
  };
  const failed = (cause: unknown): void => {
    if (stage === 'answering') return; // the answer's own `close` tells how it ended
    if (upstream.reusedSocket && stage === 'asking' && isReset(cause)) resolve(undefined);
    else reject(unreachableError(exchange, cause));
  };
  const answered = (answer: IncomingMessage): void => {
    answer.on('error', () => undefined); // told by `close`
    try {
      const reason = exchange.refusalOf?.(answer);
      if (reason === undefined) {
        stage = 'answering';
        passAnswer(exchange, answer, resolve);
        return;
      }
      answer.resume();
      if (stage === 'sending' || framingOf(request) !== 'none') upstream.destroy();
      resolve({ outcome: 'refused', reason });
    } catch (cause) {
      upstream.destroy();
      reject(cause instanceof DormouseError ? cause : unreachableError(exchange, cause));
    }
  };

  response.once('close', clientGone);
  scope.defer(() => response.off('close', clientGone));
  const aborted = (): void => void upstream.destroy(new Error('broken off', { cause: signal?.reason }));
  signal?.addEventListener('abort', aborted);
  scope.defer(() => signal?.removeEventListener('abort', aborted));
  upstream.once('response', answered);
  upstream.on('error', failed);
  upstream.once('close', () => failed(new Error('the connection closed')));
  if (signal?.aborted === true) aborted();
  startSending(exchange, upstream, sendBody, scope);
  return promise.finally(() => scope.dispose());
}

function openUpstream(exchange: Forward, agent: Agent | undefined): ClientRequest {
  const { request, target, path } = exchange;
  const upstream = startRequest({
    host: target.host,
    port: target.port,
    method: request.method ?? 'GET',
    path,
    agent: agent ?? ownConnection,
    headers: upstreamHeaders(exchange),
  });
  // Not disposed with the attempt: a socket may fail after its exchange is over, and nobody needs to know.
  upstream.on('error', () => undefined);
  upstream.once('socket', (socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => upstream.destroy(connectTimeout()), connectTimeoutMs);
    const stop = (): void => clearTimeout(timer);
    socket.once('connect', stop).once('close', stop);
  });
  return upstream;
}

/** Told like the system's own, by which a caller knows that nothing was sent. */
const connectTimeout = (): Error =>
  Object.assign(new Error('connecting took too long'), { code: 'ETIMEDOUT', syscall: 'connect' });

function upstreamHeaders({ request, target, headers, expectContinue = false }: Forward): string[] {
  // The client's own expectation was met (or will be, by onContinue); it is not the target's business.
  const sent = filterHeaders(headers, (name) => name !== 'expect' && name !== 'transfer-encoding');
  if (!hasHeader(sent, 'host')) sent.push('Host', `${target.host}:${target.port}`);
  const framing = framingOf(request);
  if (framing === 'chunked') sent.push('Transfer-Encoding', 'chunked');
  if (framing === 'none') {
    // Node would frame a bodiless POST as chunked, which some servers take for a body.
    const bodiless = idempotent.has(request.method ?? '') && request.method !== 'PUT';
    if (!bodiless && !hasHeader(sent, 'content-length')) sent.push('Content-Length', '0');
  } else if (expectContinue) {
    sent.push('Expect', '100-continue');
  }
  return sent;
}

function startSending(exchange: Forward, upstream: ClientRequest, sendBody: () => void, scope: DisposableStack): void {
  if (framingOf(exchange.request) === 'none') {
    upstream.end();
  } else if (exchange.expectContinue === true) {
    const timer = setTimeout(() => upstream.destroy(new Error('no 100 Continue in time')), continueTimeoutMs);
    scope.defer(() => clearTimeout(timer));
    upstream.once('continue', () => {
      clearTimeout(timer);
      sendBody();
    });
    upstream.once('response', () => clearTimeout(timer));
    upstream.flushHeaders();
  } else {
    sendBody();
  }
}

/** Returns what stops it. */
function pipeBody(request: IncomingMessage, upstream: ClientRequest): () => void {
  const ended = (): void => {
    if (request.rawTrailers.length > 0) upstream.addTrailers(pairs(endToEnd(request.rawTrailers)));
    upstream.end();
  };
  request.pipe(upstream, { end: false });
  request.once('end', ended);
  return () => {
    request.off('end', ended);
    request.unpipe(upstream);
    if (request.readableEnded || request.destroyed) return;
    // The answer came before the body had: the rest is read and dropped, or the client would never see the answer.
    request.resume();
    upstream.destroy();
  };
}

/** Streams the answer to the client and reports how it ended. */
function passAnswer(exchange: Forward, answer: IncomingMessage, resolve: (outcome: ForwardOutcome) => void): void {
  const { response } = exchange;
  const status = answer.statusCode ?? 502;
  const headers = exchange.onAnswer?.(answer) ?? endToEnd(answer.rawHeaders);
  response.writeHead(status, reasonPhrase(answer.statusMessage), [...headers]);
  // An event stream's headers come long before its first event. Waiting one turn lets a short body share their packet.
  setImmediate(() => {
    if (!response.destroyed && !response.writableEnded) response.flushHeaders();
  });
  answer.pipe(response, { end: false });
  answer.once('end', () => {
    if (answer.rawTrailers.length > 0) response.addTrailers(pairs(endToEnd(answer.rawTrailers)));
    response.end(() => resolve({ outcome: 'answered', status }));
  });
  answer.once('close', () => {
    if (answer.readableEnded) return;
    response.destroy();
    resolve({ outcome: 'cut' });
  });
}

/** Undefined lets node choose: a phrase with bytes it would refuse to send is not worth failing for. */
export function reasonPhrase(phrase: string | undefined): string | undefined {
  return phrase !== undefined && /^[\t\x20-\x7e\x80-\xff]*$/.test(phrase) ? phrase : undefined;
}

const isReset = (cause: unknown): boolean =>
  cause instanceof Error && 'code' in cause && (cause.code === 'ECONNRESET' || cause.code === 'EPIPE');

const unreachable = (exchange: Forward): never => {
  throw unreachableError(exchange, new Error('the connection closed'));
};

export function unreachableError(exchange: { readonly target: ForwardTarget }, cause: unknown): DormouseError {
  const { host, port } = exchange.target;
  const words = cause instanceof Error ? cause.message : String(cause);
  return new DormouseError('actor-unreachable', `no answer came: ${words}`, {
    cause,
    details: { target: `${host}:${port}` },
  });
}
