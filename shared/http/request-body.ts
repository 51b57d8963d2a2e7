/**
 * What a request to be forwarded carries: nothing, a small body that has come whole already, or a stream. A small one is
 * taken into memory, so that it can be sent in one piece with its headers and again if its first target refuses it.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { endToEnd, pairs } from './raw-headers.ts';

/** Below what a paused request buffers anyway, and above what most calls carry. */
const smallBodyBytes = 16 * 1024;

export type RequestBody =
  { readonly kind: 'none' } | { readonly kind: 'whole'; readonly bytes: Buffer } | { readonly kind: 'stream' };

const none: RequestBody = { kind: 'none' };
const stream: RequestBody = { kind: 'stream' };
/** A refused request comes here a second time, and its body can be read only once. */
const taken = new WeakMap<IncomingMessage, RequestBody>();

/** Whether the client sends a body, and how its length is told. */
export function framingOf(request: IncomingMessage): 'none' | 'length' | 'chunked' {
  if (request.headers['transfer-encoding'] !== undefined) return 'chunked';
  return Number(request.headers['content-length'] ?? 0) > 0 ? 'length' : 'none';
}

/** Whether the sender sends at once, without asking, and little. */
export const isSmallAndUnasked = (request: IncomingMessage): boolean =>
  request.headers.expect === undefined &&
  framingOf(request) === 'length' &&
  Number(request.headers['content-length']) <= smallBodyBytes;

/** A promise only where the body may be about to come; nothing waits for the network. */
export function bodyOf(request: IncomingMessage): RequestBody | Promise<RequestBody> {
  if (framingOf(request) === 'none') return none;
  return taken.get(request) ?? (isSmallAndUnasked(request) ? takeWhole(request) : stream);
}

async function takeWhole(request: IncomingMessage): Promise<RequestBody> {
  // The parser announces the headers first; a body in the same packet is there when it has done with the packet.
  await Promise.resolve();
  if (request.readableLength < Number(request.headers['content-length'])) return stream;
  const bytes = request.read() as Buffer | null;
  if (bytes === null) return stream;
  const body: RequestBody = { kind: 'whole', bytes };
  taken.set(request, body);
  return body;
}

/** Returns what stops it. */
export function pipeBody(request: IncomingMessage, upstream: ClientRequest): () => void {
  const ended = (): void => {
    if (request.rawTrailers.length > 0) upstream.addTrailers(pairs(endToEnd(request.rawTrailers)));
    upstream.end();
  };
  // A target may answer before any of the body has come, so it must not wait for that to see the headers.
  if (request.readableLength === 0) upstream.flushHeaders();
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
