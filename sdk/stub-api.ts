/**
 * For tests only: a real HTTP server that answers as one test wants and remembers what it was asked. Not an imitation of
 * Dormouse: what the real one answers is e2e's business.
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface StubRequest {
  /** Method and target: `GET /v1/actors?limit=2`. */
  readonly line: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface StubAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** An object is sent as JSON. */
  readonly body?: string | object;
  /** Instead of `body`, chunk by chunk; when it throws, the connection breaks. */
  readonly stream?: AsyncIterable<string>;
}

export interface StubApi extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly StubRequest[];
  /** Method and target of each request so far. */
  lines(): string[];
}

export async function startStubApi(
  answer: (request: StubRequest) => StubAnswer | Promise<StubAnswer>,
): Promise<StubApi> {
  const requests: StubRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    void readRequest(incoming)
      .then((request) => {
        requests.push(request);
        return answer(request);
      })
      .then((given) => write(outgoing, given))
      .catch((error: unknown) => outgoing.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    lines: () => requests.map((request) => request.line),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readRequest(incoming: IncomingMessage): Promise<StubRequest> {
  const body = (await buffer(incoming)).toString();
  return { line: `${incoming.method ?? ''} ${incoming.url ?? ''}`, headers: incoming.headers, body };
}

async function write(outgoing: ServerResponse, answer: StubAnswer): Promise<void> {
  const { body = '', stream } = answer;
  const type = typeof body === 'object' ? { 'content-type': 'application/json' } : {};
  outgoing.writeHead(answer.status ?? 200, { ...type, ...answer.headers });
  if (stream) for await (const chunk of stream) outgoing.write(chunk);
  outgoing.end(typeof body === 'object' ? JSON.stringify(body) : body);
}

/** A refusal as the api writes it. */
export const problem = (status: number, code: string, facts: object = {}): StubAnswer => ({
  status,
  headers: { 'content-type': 'application/problem+json' },
  body: { type: `urn:dormouse:${code}`, title: code, status, code, retryable: false, requestId: 'r-1', ...facts },
});
