/**
 * The node's ingress: passes a request to the actor if an api sends it and this node holds exactly the activation that is
 * asked for. The refusal comes before anything is passed on (shared/http/ingress-contract.ts).
 */
import { createServer, STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { forwardUpgrade } from '../../shared/http/forward-upgrade.ts';
import type { ForwardTarget } from '../../shared/http/exchange.ts';
import { forward } from '../../shared/http/forward.ts';
import {
  ingressHeaders,
  ingressSocketOf,
  refusalStatus,
  unreachableReason,
  type RefusalReason,
} from '../../shared/http/ingress-contract.ts';
import { listen, listenLocally, type Listening } from '../../shared/http/listen.ts';
import { endToEnd, type RawHeaders } from '../../shared/http/raw-headers.ts';
import { framingOf, isSmallAndUnasked } from '../../shared/http/request-body.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';
import type { Activation } from '../activation/activation.ts';
import { doorPort } from '../../shared/template/template-spec.ts';
import { enterActivation, type Door } from './admit.ts';
import type { Lease } from './gate.ts';

export const startIngress = (host: string, door: Door, log: Logger): Promise<Listening> =>
  listen(ingressServer(door, log), host, 0);

/** For an api on this machine. */
export const startLocalIngress = (bootId: string, door: Door, log: Logger): Promise<AsyncDisposable> =>
  listenLocally(ingressServer(door, log), ingressSocketOf(bootId));

function ingressServer(door: Door, log: Logger): Server {
  const server = createServer({ keepAliveTimeout: keepAliveTimeoutMs, requestTimeout: 0 });
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    serve(door, request, response).catch((error: unknown) => {
      log.debug({ err: error }, 'request not answered by the actor');
      answerUnreachable(response);
    });
  };
  server.on('request', handle);
  server.on('checkContinue', handle);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    serveUpgrade(door, request, socket, head).catch((error: unknown) => {
      log.debug({ err: error }, 'upgrade not answered by the actor');
      socket.destroy();
    });
  });
  return server;
}

/** Longer than the api keeps an idle connection, so that it is always the api that closes one. */
const keepAliveTimeoutMs = 60_000;

async function serve(door: Door, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const entered = admit(door, request);
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

async function serveUpgrade(door: Door, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  const entered = admit(door, request);
  if (typeof entered === 'string') {
    socket.end(
      `HTTP/1.1 ${statusLine(entered)}\r\n${ingressHeaders.refusal}: ${entered}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
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

function admit(door: Door, request: IncomingMessage): { activation: Activation; lease: Lease } | RefusalReason {
  const {
    [ingressHeaders.actor]: actorId,
    [ingressHeaders.epoch]: epoch,
    [ingressHeaders.pass]: pass,
  } = request.headers;
  return enterActivation(door, {
    ...(typeof actorId === 'string' && { actorId }),
    ...(typeof epoch === 'string' && { epoch }),
    ...(typeof pass === 'string' && { pass }),
  });
}

function statusLine(reason: RefusalReason): string {
  const status = refusalStatus(reason);
  return `${status} ${STATUS_CODES[status] ?? ''}`;
}

function refuse(request: IncomingMessage, response: ServerResponse, reason: RefusalReason): void {
  // A body that is on its way is not read: the connection ends with the answer. A small one is here, or nearly.
  const close = framingOf(request) !== 'none' && !isSmallAndUnasked(request);
  response.writeHead(refusalStatus(reason), {
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
