/**
 * Passes an upgrade (WebSocket) on: the request to the target, its answer back, and after a 101 the raw bytes both ways.
 * Each upgrade has its own connection. Outcomes are those of `forward`; an answer other than 101 is passed on with its
 * body, and then the connection ends.
 */
import { request as startRequest, STATUS_CODES, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ForwardOutcome, ForwardTarget } from './exchange.ts';
import { unreachableError } from './forward.ts';
import { reasonPhrase } from './pass-answer.ts';
import { endToEnd, filterHeaders, pairs, type RawHeaders } from './raw-headers.ts';

export interface ForwardUpgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What the client sent right behind its request. */
  readonly head: Buffer;
  readonly target: ForwardTarget;
  readonly path: string;
  /** For the target, end to end; `Connection` and `Upgrade` are added here. */
  readonly headers: RawHeaders;
  readonly refusalOf?: (answer: IncomingMessage) => string | undefined;
  readonly onAnswer?: (answer: IncomingMessage) => RawHeaders;
  readonly signal?: AbortSignal;
}

/** How long the target may take until it answers the handshake; after that the connection may live for ever. */
const handshakeTimeoutMs = 30_000;

/**
 * Notices that a client leaves although nobody reads from its socket yet. Bytes that it sends meanwhile stay in the
 * socket's own, bounded buffer; `readable` with nothing in it means that the client has ended its side.
 */
export function watchLeaving(socket: Duplex, left: () => void): Disposable {
  const look = (): void => {
    if (socket.readableLength === 0) left();
  };
  socket.on('readable', look);
  socket.once('close', left);
  return {
    [Symbol.dispose]() {
      socket.off('readable', look);
      socket.off('close', left);
    },
  };
}

/** Settles when both connections are over. Throws `actor-unreachable` when no answer came. */
export async function forwardUpgrade(exchange: ForwardUpgrade): Promise<ForwardOutcome> {
  const { socket, signal } = exchange;
  if (socket.destroyed) return { outcome: 'abandoned' };
  const { promise, resolve, reject } = Promise.withResolvers<ForwardOutcome>();
  const upstream = openUpstream(exchange);
  using scope = new DisposableStack();
  const timer = setTimeout(() => upstream.destroy(new Error('no answer to the handshake')), handshakeTimeoutMs);
  scope.defer(() => clearTimeout(timer));
  const gone = (): void => {
    upstream.destroy();
    socket.destroy();
    resolve({ outcome: 'abandoned' });
  };
  const watch = scope.use(watchLeaving(socket, gone));
  const aborted = (): void => void upstream.destroy(new Error('broken off', { cause: signal?.reason }));
  signal?.addEventListener('abort', aborted);
  scope.defer(() => signal?.removeEventListener('abort', aborted));
  if (signal?.aborted === true) aborted();

  const answered = (): void => {
    clearTimeout(timer);
    watch[Symbol.dispose]();
  };
  upstream.once('upgrade', (answer, peer, peerHead) => {
    answered();
    join(exchange, answer, peer, peerHead).then(resolve, reject);
  });
  upstream.once('response', (answer) => {
    answered();
    pass(exchange, answer, upstream).then(resolve, reject);
  });
  upstream.on('error', (cause) => reject(unreachableError(exchange, cause)));
  upstream.end();
  return await promise;
}

function openUpstream({ request, target, path, headers }: ForwardUpgrade): ClientRequest {
  const sent = [...headers, 'Connection', 'Upgrade', 'Upgrade', request.headers.upgrade ?? 'websocket'];
  return startRequest({
    host: target.host,
    port: target.port,
    ...(target.socketPath !== undefined && { socketPath: target.socketPath }),
    method: request.method ?? 'GET',
    path,
    agent: false,
    headers: sent,
  });
}

/** Two connections become one: what ends or breaks one of them ends the other. */
async function join(
  exchange: ForwardUpgrade,
  answer: IncomingMessage,
  peer: Duplex,
  peerHead: Buffer,
): Promise<ForwardOutcome> {
  const { socket, head, signal } = exchange;
  const upgrade = ['Connection', 'Upgrade', 'Upgrade', answer.headers.upgrade ?? 'websocket'];
  const headers = exchange.onAnswer?.(answer) ?? endToEnd(answer.rawHeaders);
  socket.write(headText(101, answer.statusMessage, [...headers, ...upgrade]), 'latin1');
  if (peerHead.length > 0) socket.write(peerHead);
  if (head.length > 0) peer.write(head);
  const breakOff = (): void => void peer.destroy();
  signal?.addEventListener('abort', breakOff);
  socket.pipe(peer);
  peer.pipe(socket);
  await Promise.all([closed(socket, peer), closed(peer, socket)]);
  signal?.removeEventListener('abort', breakOff);
  return { outcome: 'answered', status: 101 };
}

function closed(stream: Duplex, other: Duplex): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  stream.on('error', () => other.destroy());
  stream.once('close', () => {
    // What was read is still on its way out; `end` lets it leave, then the connection closes.
    if (!other.destroyed) other.end(() => other.destroy());
    resolve(undefined);
  });
  if (stream.destroyed) resolve(undefined);
  return promise;
}

/** An ordinary answer to the handshake, or a refusal. */
async function pass(
  exchange: ForwardUpgrade,
  answer: IncomingMessage,
  upstream: ClientRequest,
): Promise<ForwardOutcome> {
  const { socket } = exchange;
  answer.on('error', () => undefined);
  const reason = exchange.refusalOf?.(answer);
  if (reason !== undefined) {
    upstream.destroy();
    return { outcome: 'refused', reason };
  }
  const status = answer.statusCode ?? 502;
  const headers = exchange.onAnswer?.(answer) ?? endToEnd(answer.rawHeaders);
  socket.write(headText(status, answer.statusMessage, [...headers, 'Connection', 'close']), 'latin1');
  const { promise, resolve } = Promise.withResolvers<ForwardOutcome>();
  answer.pipe(socket);
  answer.once('close', () => {
    if (answer.readableEnded) return;
    socket.destroy();
    resolve({ outcome: 'cut' });
  });
  socket.once('finish', () => resolve({ outcome: 'answered', status }));
  socket.once('close', () => resolve({ outcome: 'abandoned' }));
  return await promise;
}

/** A whole answer on a connection whose upgrade does not take place; ends the connection. */
export function answerOnSocket(socket: Duplex, status: number, headers: RawHeaders, body: string): void {
  if (socket.destroyed) return;
  const length = String(Buffer.byteLength(body));
  const sent = filterHeaders(headers, (name) => name !== 'content-length');
  socket.write(headText(status, undefined, [...sent, 'Content-Length', length, 'Connection', 'close']), 'latin1');
  socket.end(body);
}

function headText(status: number, phrase: string | undefined, headers: RawHeaders): string {
  const lines = pairs(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${reasonPhrase(phrase) ?? STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n`;
}
