/**
 * For tests: an HTTP proxy in front of a real server that breaks chosen requests the way networks do. What it lets
 * through is the real server's answer to the real request.
 */
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

export type Fault =
  /** The server gets the whole request and acts; its answer is lost. */
  | { readonly kind: 'lose-answer' }
  /** The answer breaks off after so many bytes of its body. */
  | { readonly kind: 'cut-answer'; readonly afterBytes: number }
  /** The answer stops after so many bytes of its body, and the connection stays open. */
  | { readonly kind: 'stall-answer'; readonly afterBytes: number }
  /** The answer's body trickles, until `breakNext` replaces this. */
  | { readonly kind: 'slow-answer'; readonly bytesPerSecond: number }
  /** The request breaks off after so many bytes of its body, towards the server too. */
  | { readonly kind: 'cut-request'; readonly afterBytes: number }
  /** The server never hears of it, and nobody answers. */
  | { readonly kind: 'hang' }
  /** Someone in between answers instead of the server. */
  | { readonly kind: 'answer'; readonly status: number };

export type Matches = (request: IncomingMessage) => boolean;

export interface FaultProxy extends AsyncDisposable {
  readonly endpoint: string;
  /** Breaks the next `times` requests that match; replaces what was set before. */
  breakNext(times: number, fault: Fault, matches: Matches): void;
  /** How many requests were broken since `breakNext`. */
  broken(): number;
}

export async function startFaultProxy(upstream: string): Promise<FaultProxy> {
  let plan: { left: number; fault: Fault; matches: Matches } | undefined;
  let broken = 0;
  const isOver = (mine: typeof plan) => () => plan !== mine;
  const server = createServer((incoming, outgoing) => {
    const fault = plan !== undefined && plan.left > 0 && plan.matches(incoming) ? plan.fault : undefined;
    if (plan !== undefined && fault !== undefined) {
      plan.left -= 1;
      broken += 1;
    }
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'answer') answer(incoming, outgoing, fault.status);
    else forward(upstream, incoming, outgoing, fault, isOver(plan));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref(); // a filtered test run leaves out the hook that closes it
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    breakNext(times, fault, matches) {
      plan = { left: times, fault, matches };
      broken = 0;
    },
    broken: () => broken,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function answer(incoming: IncomingMessage, outgoing: ServerResponse, status: number): void {
  incoming.resume().once('end', () => outgoing.writeHead(status).end());
}

type ForwardFault = Exclude<Fault, { kind: 'hang' | 'answer' }>;

function forward(
  upstream: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fault: ForwardFault | undefined,
  isOver: () => boolean,
): void {
  // The Host header stays the client's: it is part of what S3 requests sign.
  const onward = request(new URL(incoming.url ?? '/', upstream), {
    method: incoming.method,
    headers: incoming.headers,
    agent: false,
  });
  onward.once('error', () => outgoing.destroy());
  onward.once('response', (back) => {
    const own = `http://${incoming.headers.host ?? ''}`;
    if (fault?.kind === 'lose-answer') {
      back.resume().once('end', () => outgoing.destroy());
      return;
    }
    if (fault?.kind === 'cut-answer') {
      relayCut(back, outgoing, fault.afterBytes);
      return;
    }
    outgoing.writeHead(back.statusCode ?? 502, pointedAt(own, upstream, back.headers));
    if (fault?.kind === 'stall-answer') pipeStart(back, outgoing, fault.afterBytes);
    else if (fault?.kind === 'slow-answer') void trickle(back, outgoing, fault.bytesPerSecond, isOver);
    else back.pipe(outgoing);
  });
  if (fault?.kind === 'cut-request') sendCut(incoming, onward, outgoing, fault.afterBytes);
  else incoming.pipe(onward);
}

function sendCut(incoming: IncomingMessage, onward: Writable, outgoing: ServerResponse, afterBytes: number): void {
  const cut = (): void => {
    onward.destroy();
    outgoing.destroy();
  };
  let left = afterBytes;
  incoming.on('data', (chunk: Buffer) => {
    const piece = chunk.subarray(0, Math.max(0, left));
    left -= chunk.length;
    onward.write(piece, () => left <= 0 && cut());
  });
  incoming.once('end', cut); // a body that was not as long as that
}

function pipeStart(back: IncomingMessage, outgoing: ServerResponse, bytes: number): void {
  let left = bytes;
  back.on('data', (chunk: Buffer) => {
    if (left > 0) outgoing.write(chunk.subarray(0, left));
    left -= chunk.length;
  });
}

const tricklesPerSecond = 20;

async function trickle(
  back: IncomingMessage,
  outgoing: ServerResponse,
  bytesPerSecond: number,
  isOver: () => boolean,
): Promise<void> {
  const pieceBytes = Math.ceil(bytesPerSecond / tricklesPerSecond);
  for await (const chunk of back as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      if (outgoing.destroyed) return; // the client gave up
      outgoing.write(chunk.subarray(at, at + pieceBytes));
      if (!isOver()) await delay(1_000 / tricklesPerSecond);
    }
  }
  outgoing.end();
}

function relayCut(back: IncomingMessage, outgoing: ServerResponse, afterBytes: number): void {
  outgoing.writeHead(back.statusCode ?? 502, back.headers);
  let left = afterBytes;
  back.on('data', (chunk: Buffer) => {
    if (left <= 0) return;
    const piece = chunk.subarray(0, left);
    left -= piece.length;
    outgoing.write(piece, () => left <= 0 && outgoing.destroy());
  });
}

/** The address of an upload session names the server; the client must come back through us. */
function pointedAt(own: string, upstream: string, headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const { location } = headers;
  if (typeof location !== 'string') return headers;
  return { ...headers, location: location.replace(new URL(upstream).origin, own) };
}
