/** The request to the target: its connection, its headers and their framing. */
import { Agent, request as startRequest, type ClientRequest } from 'node:http';
import type { Forward } from './exchange.ts';
import { filterHeaders, hasHeader } from './raw-headers.ts';
import { framingOf, type RequestBody } from './request-body.ts';

/** A target on a private network that does not accept within this time is not there. */
const connectTimeoutMs = 5000;

/**
 * For a request with a connection of its own: never kept, yet the target is told `keep-alive`. A target told `close` may
 * answer early and close with some of the body unread, which resets the connection and loses its answer.
 */
const ownConnection = Object.assign(new Agent({ keepAlive: true }), { keepSocketAlive: () => false });

const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

export const isIdempotent = (method: string | undefined): boolean => idempotent.has(method ?? '');

export function openUpstream(exchange: Forward, body: RequestBody, agent: Agent | undefined): ClientRequest {
  const { request, target, path } = exchange;
  const upstream = startRequest({
    host: target.host,
    port: target.port,
    ...(target.socketPath !== undefined && { socketPath: target.socketPath }),
    method: request.method ?? 'GET',
    path,
    agent: agent ?? ownConnection,
    headers: upstreamHeaders(exchange, body),
  });
  if (!upstream.reusedSocket) limitConnecting(upstream);
  return upstream;
}

function limitConnecting(upstream: ClientRequest): void {
  upstream.once('socket', (socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => upstream.destroy(connectTimeout()), connectTimeoutMs);
    const stop = (): void => clearTimeout(timer);
    socket.once('connect', stop).once('close', stop);
  });
}

/** Told like the system's own, by which a caller knows that nothing was sent. */
const connectTimeout = (): Error =>
  Object.assign(new Error('connecting took too long'), { code: 'ETIMEDOUT', syscall: 'connect' });

function upstreamHeaders({ request, target, headers, expectContinue = false }: Forward, body: RequestBody): string[] {
  // The client's own expectation was met (or will be, by onContinue); it is not the target's business.
  const sent = filterHeaders(headers, (name) => name !== 'expect' && name !== 'transfer-encoding');
  if (!hasHeader(sent, 'host')) sent.push('Host', `${target.host}:${target.port}`);
  if (framingOf(request) === 'chunked') sent.push('Transfer-Encoding', 'chunked');
  if (body.kind === 'none') {
    // Node would frame a bodiless POST as chunked, which some servers take for a body.
    const bodiless = isIdempotent(request.method) && request.method !== 'PUT';
    if (!bodiless && !hasHeader(sent, 'content-length')) sent.push('Content-Length', '0');
  } else if (expectContinue && body.kind === 'stream') {
    sent.push('Expect', '100-continue');
  }
  return sent;
}
