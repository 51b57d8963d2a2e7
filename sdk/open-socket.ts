/**
 * Opens a WebSocket of the api, and learns why it does not open. A browser's sends no headers: there neither a token nor a
 * namespace can be given, and the api must need none.
 */
import { DormouseApiError, errorFromAnswer } from './api-error.ts';
import { segment } from './request-path.ts';
import type { Transport } from './transport.ts';
import type { WebSocketLike } from './web-socket.ts';

/** A socket that begins to open: whoever wants its messages listens at once, for the first may come with the opening. */
export function newSocket({ baseUrl, credentials, WebSocket: Socket }: Transport, path: string): WebSocketLike {
  if (Socket === undefined) throw new TypeError('there is no global WebSocket: give createClient the one of "ws"');
  const url = baseUrl.replace(/^http/, 'ws') + path;
  const headers = Object.fromEntries(credentials());
  const socket = Object.keys(headers).length === 0 ? new Socket(url) : new Socket(url, { headers });
  socket.binaryType = 'arraybuffer';
  return socket;
}

/** Returns when it is open. Throws what the api said instead, as far as that can be learnt. */
export async function opened(
  socket: WebSocketLike,
  transport: Transport,
  actorId: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const refusal = answerOf(socket);
  const abort = (): void => socket.close();
  signal?.addEventListener('abort', abort);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', resolve);
      const failed = (): void => void whyRefused(transport, actorId, signal).then(reject, reject);
      void refusal?.then(reject, reject);
      socket.addEventListener('error', failed);
      socket.addEventListener('close', failed);
    });
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

interface Answer extends AsyncIterable<Uint8Array> {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** `ws` alone shows the answer to a handshake that was refused. */
function answerOf(socket: object): Promise<DormouseApiError> | undefined {
  if (!('once' in socket) || typeof socket.once !== 'function') return undefined;
  const once = socket.once.bind(socket) as (name: string, listener: (request: unknown, answer: Answer) => void) => void;
  return new Promise((resolve, reject) => {
    once('unexpected-response', (_request, answer) => {
      void responseOf(answer).then(errorFromAnswer).then(resolve, reject);
    });
  });
}

async function responseOf(answer: Answer): Promise<Response> {
  const { statusCode, headers } = answer;
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of answer) text += decoder.decode(chunk, { stream: true });
  const shown = ['content-type', 'retry-after', 'x-request-id'].flatMap((name): [string, string][] => {
    const value = headers[name];
    return typeof value === 'string' ? [[name, value]] : [];
  });
  return new Response(text, { status: statusCode, headers: shown });
}

/** A browser is not told: whether the actor can be looked at tells the usual reasons. */
async function whyRefused(transport: Transport, actorId: string, signal: AbortSignal | undefined): Promise<unknown> {
  if (signal?.aborted === true) return signal.reason;
  try {
    await transport.json({ method: 'GET', path: `/v1/actors/${segment(actorId)}`, signal });
  } catch (error) {
    return error;
  }
  const message = `the api opened no WebSocket to ${actorId}`;
  return new DormouseApiError({ status: 0, code: 'websocket-refused', message, retryable: false });
}
