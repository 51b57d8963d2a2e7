/**
 * The streaming core of the two reverse proxies: api → ingress and ingress → actor. It passes one request on and its
 * answer back, with back-pressure both ways, and owns nothing but that one exchange.
 *
 * Before the first byte of an answer there are three ways out, all of which leave the caller's response untouched:
 *   - the target refuses (`refusalOf`): it has passed nothing on, so the caller may send the request elsewhere;
 *   - the target cannot be reached or ends the connection: `actor-unreachable` is thrown;
 *   - the client goes away: `abandoned`.
 * After it, a target that breaks off cuts the client's connection too (`cut`): a short answer must not look complete.
 *
 * A connection that was used before may be dying just as a request is put on it. A request that can be repeated without
 * harm is sent once more, on a fresh connection. One that cannot goes on a used connection only if a pool can tell that it
 * was in use a moment ago (connection-pool.ts), and is never sent twice once the target may have seen all of it.
 *
 * A body that came with its headers is small and goes on with them (request-body.ts). Any other is held back, for a
 * target that may refuse, until it says 100.
 */
import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import { DormouseError } from '../errors/dormouse-error.ts';
import { ConnectionPool } from './connection-pool.ts';
import type { Forward, ForwardOutcome, ForwardTarget } from './exchange.ts';
import { passAnswer } from './pass-answer.ts';
import { bodyOf, pipeBody, type RequestBody } from './request-body.ts';
import { isIdempotent, openUpstream } from './upstream-request.ts';

/** A target that may refuse decides at once; one that says nothing for this long is stuck. */
const continueTimeoutMs = 15_000;

/** Passes the request on and the answer back; settles when the exchange is over. */
export async function forward(exchange: Forward): Promise<ForwardOutcome> {
  const { request, target, expectContinue = false } = exchange;
  const known = bodyOf(request);
  const body = known instanceof Promise ? await known : known;
  const repeatable = body.kind === 'stream' ? expectContinue : isIdempotent(request.method);
  const agent = repeatable ? target.agent : poolForUnrepeatable(target.agent);
  const outcome = await attempt(exchange, body, agent, repeatable);
  if (outcome !== undefined) return outcome;
  return (await attempt(exchange, body, undefined, false)) ?? unreachable(exchange);
}

function poolForUnrepeatable(agent: Agent | undefined): Agent | undefined {
  if (!(agent instanceof ConnectionPool)) return undefined;
  agent.dropStale();
  return agent;
}

/** One try. Undefined when a used connection turned out to be dead, and the request may be sent again. */
function attempt(
  exchange: Forward,
  body: RequestBody,
  agent: Agent | undefined,
  repeatable: boolean,
): Promise<ForwardOutcome | undefined> {
  const { request, response, signal } = exchange;
  if (response.destroyed) return Promise.resolve({ outcome: 'abandoned' });
  const { promise, resolve, reject } = Promise.withResolvers<ForwardOutcome | undefined>();
  const upstream = openUpstream(exchange, body, agent);
  let stage: 'asking' | 'sending' | 'answering' | 'over' = 'asking';
  let stopSending: (() => void) | undefined;

  const end = (): void => {
    stage = 'over';
    response.off('close', clientGone);
    signal?.removeEventListener('abort', aborted);
    stopSending?.();
  };
  const settle = (outcome: ForwardOutcome | undefined): void => {
    if (stage === 'over') return;
    end();
    resolve(outcome);
  };
  const fail = (cause: unknown): void => {
    end();
    reject(cause instanceof DormouseError ? cause : unreachableError(exchange, cause));
  };
  const clientGone = (): void => {
    if (response.writableFinished) return;
    upstream.destroy();
    settle({ outcome: 'abandoned' });
  };
  /** Called for errors as well as for the end of the connection, whichever comes first. */
  const failed = (cause?: Error): void => {
    // The answer's own `close` tells how it ended; and a socket may fail after its exchange is over.
    if (stage === 'answering' || stage === 'over') return;
    if (repeatable && upstream.reusedSocket && stage === 'asking' && isReset(cause)) settle(undefined);
    else fail(cause ?? new Error('the connection closed'));
  };
  const answered = (answer: IncomingMessage): void => {
    answer.on('error', () => undefined); // told by `close`
    try {
      const reason = exchange.refusalOf?.(answer);
      if (reason === undefined) {
        stage = 'answering';
        passAnswer(exchange, answer, settle);
        return;
      }
      answer.resume();
      if (body.kind === 'stream') upstream.destroy();
      settle({ outcome: 'refused', reason });
    } catch (cause) {
      upstream.destroy();
      fail(cause);
    }
  };
  const aborted = (): void => void upstream.destroy(new Error('broken off', { cause: signal?.reason }));

  upstream.once('response', answered).on('error', failed).once('close', failed);
  response.once('close', clientGone);
  signal?.addEventListener('abort', aborted);
  if (signal?.aborted === true) aborted();
  const sendStream = (): void => {
    stage = 'sending';
    exchange.onContinue?.();
    stopSending = pipeBody(request, upstream);
  };
  if (body.kind === 'none') upstream.end();
  else if (body.kind === 'whole') upstream.end(body.bytes);
  else if (exchange.expectContinue === true) stopSending = awaitContinue(upstream, sendStream);
  else sendStream();
  return promise;
}

/** Returns what stops it. */
function awaitContinue(upstream: ClientRequest, then: () => void): () => void {
  const timer = setTimeout(() => upstream.destroy(new Error('no 100 Continue in time')), continueTimeoutMs);
  const stop = (): void => clearTimeout(timer);
  upstream.once('response', stop);
  upstream.once('continue', () => {
    stop();
    then();
  });
  upstream.flushHeaders();
  return stop;
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
