/**
 * The node's ingress: passes a request to the actor if this node holds exactly the activation the api asks for. The
 * refusal comes before anything is passed on (shared/http/ingress-contract.ts).
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { forwardUpgrade } from '../../shared/http/forward-upgrade.ts';
import type { ForwardTarget } from '../../shared/http/exchange.ts';
import { forward } from '../../shared/http/forward.ts';
import {
  ingressHeaders,
  refusalStatus,
  unreachableReason,
  type RefusalReason,
} from '../../shared/http/ingress-contract.ts';
import { listen, type Listening } from '../../shared/http/listen.ts';
import { endToEnd, type RawHeaders } from '../../shared/http/raw-headers.ts';
import { framingOf, isSmallAndUnasked } from '../../shared/http/request-body.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';
import type { Activation, ActivationTable } from '../activation/activation.ts';
import { doorPort } from '../../shared/template/template-spec.ts';
import type { Lease } from './gate.ts';

/** Whether this node may let the activation answer at this moment (worker/node/fence.ts). */
export type Admits = (activation: Activation) => boolean;

export async function startIngress(
  host: string,
  table: ActivationTable,
  admits: Admits,
  log: Logger,
): Promise<Listening> {
  const server = createServer({ keepAliveTimeout: keepAliveTimeoutMs, requestTimeout: 0 });
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    serve(table, admits, request, response).catch((error: unknown) => {
      log.debug({ err: error }, 'request not answered by the actor');
      answerUnreachable(response);
    });
  };
  server.on('request', handle);
  server.on('checkContinue', handle);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    serveUpgrade(table, admits, request, socket, head).catch((error: unknown) => {
      log.debug({ err: error }, 'upgrade not answered by the actor');
      socket.destroy();
    });
  });
  return listen(server, host, 0);
}

/** Longer than the api keeps an idle connection, so that it is always the api that closes one. */
const keepAliveTimeoutMs = 60_000;

async function serve(
  table: ActivationTable,
  admits: Admits,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const entered = admit(table, admits, request);
  if (typeof entered === 'string') {
    refuse(request, response, entered);
    return;
  }
  using lease = entered.lease;
  // The activation is pinned: an api that holds its body back may send it.
  if (framingOf(request) !== 'none' && request.headers.expect !== undefined) response.writeContinue();
  await forward({
    request,
    response,
    target: targetOf(entered.activation),
    path: request.url ?? '/',
    headers: guestHeaders(request),
    onAnswer: (answer) => withoutOurs(answer.rawHeaders),
    signal: lease.signal,
  });
}

async function serveUpgrade(
  table: ActivationTable,
  admits: Admits,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const entered = admit(table, admits, request);
  if (typeof entered === 'string') {
    socket.end(
      `HTTP/1.1 ${refusalStatus} Misdirected Request\r\n${ingressHeaders.refusal}: ${entered}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    );
    return;
  }
  using lease = entered.lease;
  await forwardUpgrade({
    request,
    socket,
    head,
    target: targetOf(entered.activation),
    path: request.url ?? '/',
    headers: guestHeaders(request),
    onAnswer: (answer) => withoutOurs(answer.rawHeaders),
    signal: lease.signal,
  });
}

function admit(
  table: ActivationTable,
  admits: Admits,
  request: IncomingMessage,
): { activation: Activation; lease: Lease } | RefusalReason {
  const actorId = request.headers[ingressHeaders.actor];
  const activation = typeof actorId === 'string' ? table.get(actorId) : undefined;
  if (activation === undefined) return 'unknown-actor';
  if (request.headers[ingressHeaders.epoch] !== activation.epoch) return 'stale-epoch';
  if (!admits(activation)) return 'draining';
  const lease = activation.gate.enter();
  return typeof lease === 'string' ? lease : { activation, lease };
}

function refuse(request: IncomingMessage, response: ServerResponse, reason: RefusalReason): void {
  // A body that is on its way is not read: the connection ends with the answer. A small one is here, or nearly.
  const close = framingOf(request) !== 'none' && !isSmallAndUnasked(request);
  response.writeHead(refusalStatus, {
    [ingressHeaders.refusal]: reason,
    'content-length': 0,
    ...(close && { connection: 'close' }),
  });
  response.end();
}

/** The contract of `forward`: nothing was sent to the caller when it throws. */
function answerUnreachable(response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(502, { [ingressHeaders.refusal]: unreachableReason, 'content-length': 0, connection: 'close' });
  response.end();
}

const targetOf = ({ sandbox, template, connections }: Activation): ForwardTarget => ({
  host: sandbox.address,
  port: doorPort(template.spec) ?? 80,
  agent: connections,
});

const withoutOurs = (headers: RawHeaders): string[] => endToEnd(headers, (name) => !name.startsWith('dormouse-'));

const guestHeaders = (request: IncomingMessage): string[] => withoutOurs(request.rawHeaders);
