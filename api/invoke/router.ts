/**
 * Takes the requests and upgrades that are for actors, ahead of the framework: bodies stream, nothing is parsed. Every way
 * out answers: the actor's own answer, or a problem document.
 */
import { setMaxListeners } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { namespaceOf } from '../../shared/actor/namespace.ts';
import { DormouseError, toDormouseError } from '../../shared/errors/dormouse-error.ts';
import { answerOnSocket, forwardUpgrade, watchLeaving } from '../../shared/http/forward-upgrade.ts';
import { forward } from '../../shared/http/forward.ts';
import { ingressHeaders, refusalReasons } from '../../shared/http/ingress-contract.ts';
import { framingOf } from '../../shared/http/request-body.ts';
import type { StartKind } from '../../shared/registry/records.ts';
import { currentScope, requestScope, type TraceScope } from '../../shared/telemetry/trace-scope.ts';
import { traced, type TracedWork } from '../../shared/telemetry/tracing.ts';
import { actorFor } from '../access/namespace.ts';
import { problemOf, type Problem } from '../http/problem.ts';
import { callOf } from '../http/call-of.ts';
import { requestIdOf } from '../http/request-id.ts';
import { headersOfAnswer, headersToActor } from './actor-headers.ts';
import { addressOf, type ActorAddress } from './address.ts';
import { reach, type Activation, type ReachParts } from './reach.ts';

export interface InvokeRouter {
  addressOf(request: IncomingMessage): ActorAddress | undefined;
  serve(address: ActorAddress, request: IncomingMessage, response: ServerResponse): Promise<void>;
  serveUpgrade(address: ActorAddress, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
  /** Calls that have not ended. */
  readonly underWay: number;
  /** Refuses new calls and waits for those under way; after the limit they are broken off. */
  drain(limitMs: number): Promise<void>;
}

interface Exchange {
  readonly address: ActorAddress;
  /** Qualified; known once the caller is let in. */
  actorId: string;
  readonly request: IncomingMessage;
  readonly requestId: string;
  readonly arrivedAt: number;
  readonly trace: () => TraceScope;
  /** How it started and ended, for the count of calls. */
  result: { start: StartKind | 'none'; outcome: string };
}

export function createInvokeRouter(parts: ReachParts): InvokeRouter {
  const underWay = new Map<Exchange, Promise<void>>();
  const stop = new AbortController();
  setMaxListeners(0, stop.signal); // every call listens to it
  let stopping = false;

  const track = async (
    address: ActorAddress,
    request: IncomingMessage,
    work: (exchange: Exchange) => Promise<void>,
    answer: (problem: Problem, requestId: string) => void,
  ): Promise<void> => {
    const requestId = requestIdOf(request);
    const exchange: Exchange = {
      ...{ address, actorId: '', request, requestId, arrivedAt: performance.now() },
      trace: once(() => currentScope() ?? requestScope(request, requestId)),
      result: { start: 'none', outcome: 'abandoned' },
    };
    const done = (async () => {
      try {
        if (stopping) throw stoppingError();
        const caller = await parts.access.admit(request, 'invoke');
        exchange.actorId = actorFor(request, caller, address);
        if (parts.tracing.recorder === undefined) await work(exchange);
        else await traced(parts.tracing, spanOf(exchange), toDormouseError, () => work(exchange));
      } catch (cause) {
        const error = toDormouseError(cause);
        exchange.result.outcome = error.code;
        const { traceId } = exchange.trace();
        const log = parts.log.child({ requestId, traceId, actorId: exchange.actorId || address.id.slice(0, 63) });
        if (error.code === 'internal') log.error({ err: cause }, 'call failed');
        else log.info({ code: error.code, err: error.message }, 'call not served');
        answer(problemOf(error, requestId, namespaceOf(exchange.actorId)), requestId);
      }
    })();
    underWay.set(exchange, done);
    await done;
    underWay.delete(exchange);
    parts.meters.count('dormouse_calls_total', exchange.result);
  };

  return {
    get underWay() {
      return underWay.size;
    },
    addressOf: (request) => addressOf(request.headers.host, request.url, parts.actorDomain),
    serve: (address, request, response) =>
      track(
        address,
        request,
        (exchange) => serveRequest(parts, exchange, response, stop.signal),
        (problem, requestId) => answerProblem(request, response, problem, requestId),
      ),
    serveUpgrade: (address, request, socket, head) => {
      socket.on('error', () => undefined); // a client that resets; told by `close`
      return track(
        address,
        request,
        (exchange) => serveSocket(parts, exchange, socket, head, stop.signal),
        (problem, requestId) => {
          const headers = Object.entries({ ...problem.headers, 'x-request-id': requestId }).flat();
          answerOnSocket(socket, problem.status, headers, JSON.stringify(problem.body));
        },
      );
    },
    async drain(limitMs) {
      stopping = true;
      const timer = setTimeout(() => stop.abort(stoppingError()), limitMs);
      await Promise.allSettled(underWay.values());
      clearTimeout(timer);
    },
  };
}

/** A call asks for its trace first where it belongs, later perhaps in the turn of another one. */
function once<Value extends object>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => (made ??= make());
}

const spanOf = ({ request, requestId, actorId }: Exchange): TracedWork => ({
  name: 'call',
  traceparent: request.headers['traceparent'],
  requestId,
  kind: 'server',
  attributes: { 'http.request.method': request.method ?? '', 'dormouse.actor': actorId },
});

const stoppingError = (): DormouseError => new DormouseError('shutting-down', 'the api is stopping');

async function serveRequest(
  parts: ReachParts,
  exchange: Exchange,
  response: ServerResponse,
  stop: AbortSignal,
): Promise<void> {
  const { request, address, actorId } = exchange;
  using ending = new DisposableStack();
  const waitSignal = (): AbortSignal => {
    const leaving = new AbortController();
    // Its connection closes after an answer as well, and an error costs a stack trace.
    const left = (): void => {
      if (!response.writableFinished) leaving.abort(new Error('the client left'));
    };
    if (response.destroyed) left();
    else response.once('close', left);
    const stopped = (): void => leaving.abort(stop.reason);
    if (stop.aborted) stopped();
    stop.addEventListener('abort', stopped);
    ending.defer(() => stop.removeEventListener('abort', stopped));
    return leaving.signal;
  };
  await reach(parts, callOf(request, actorId, waitSignal, exchange.trace), (activation) => {
    const sentAt = performance.now();
    return forward({
      request,
      response,
      target: activation.target,
      path: address.path,
      headers: headersToActor(request, toActor(parts, exchange, activation)),
      expectContinue: true,
      onContinue: () => {
        if (request.headers.expect !== undefined) response.writeContinue();
      },
      refusalOf,
      onAnswer: (answer) => headersOfAnswer(answer, answerFacts(parts, exchange, activation, sentAt)),
      signal: stop,
    });
  });
}

async function serveSocket(
  parts: ReachParts,
  exchange: Exchange,
  socket: Duplex,
  head: Buffer,
  stop: AbortSignal,
): Promise<void> {
  const { request, address, actorId } = exchange;
  const leaving = new AbortController();
  const watch = (): Disposable => watchLeaving(socket, () => leaving.abort(new Error('the client left')));
  let watching: Disposable | undefined;
  const waitSignal = (): AbortSignal => {
    if (socket.destroyed) leaving.abort(new Error('the client left'));
    watching = watch();
    return AbortSignal.any([leaving.signal, stop]);
  };
  await reach(parts, callOf(request, actorId, waitSignal, exchange.trace), async (activation) => {
    watching?.[Symbol.dispose]();
    const sentAt = performance.now();
    const outcome = await forwardUpgrade({
      request,
      socket,
      head,
      target: activation.target,
      path: address.path,
      headers: headersToActor(request, toActor(parts, exchange, activation)),
      refusalOf,
      onAnswer: (answer) => headersOfAnswer(answer, answerFacts(parts, exchange, activation, sentAt)),
      signal: stop,
    });
    if (outcome.outcome === 'refused' && watching !== undefined) watching = watch();
    return outcome;
  });
  watching?.[Symbol.dispose]();
}

const toActor = (parts: ReachParts, { actorId, requestId }: Exchange, { epoch, target }: Activation) => ({
  actorId,
  epoch,
  pass: target.pass(),
  requestId,
  isRootToken: parts.access.isRoot,
});

function answerFacts({ meters }: ReachParts, exchange: Exchange, activation: Activation, sentAt: number) {
  const now = performance.now();
  const { start, epoch, phases } = activation;
  const totalMs = now - exchange.arrivedAt;
  exchange.result = { start, outcome: 'answered' };
  meters.observe('dormouse_call_seconds', { start }, totalMs / 1000);
  return { requestId: exchange.requestId, start, epoch, phases, appMs: now - sentAt, totalMs };
}

/** An actor's answer never carries this header: the ingress takes it off. */
function refusalOf(answer: IncomingMessage): string | undefined {
  const reason = answer.headers[ingressHeaders.refusal];
  if (typeof reason !== 'string') return undefined;
  if ((refusalReasons as readonly string[]).includes(reason)) return reason;
  throw new DormouseError('actor-unreachable', `the node could not pass the request on (${reason.slice(0, 80)})`);
}

function answerProblem(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: Problem,
  requestId: string,
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // A client that waits for our 100 will not send its body now, so the next thing on its connection is anyone's guess.
  const close = request.headers.expect !== undefined && framingOf(request) !== 'none';
  response.writeHead(status, { ...headers, 'x-request-id': requestId, ...(close && { connection: 'close' }) });
  response.end(JSON.stringify(body));
}
