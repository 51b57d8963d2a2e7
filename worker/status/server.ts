/**
 * What whoever operates a worker asks it directly, on a port of its own: GET /healthz says that its event loop turns,
 * GET /readyz whether its node serves (503 while it starts, is frozen or stops). It answers nothing about actors.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listen, type Listening } from '../../shared/http/listen.ts';

/** Only probes and scrapers come here: nobody needs longer for a request. */
const requestLimitMs = 5000;

export async function startStatusServer(host: string, port: number, serves: () => boolean): Promise<Listening> {
  const limits = { requestTimeout: requestLimitMs, headersTimeout: requestLimitMs };
  return listen(
    createServer(limits, (request, response) => answer(request, response, serves)),
    host,
    port,
  );
}

function answer(request: IncomingMessage, response: ServerResponse, serves: () => boolean): void {
  const [status, text] = page(request, serves);
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  response.end(`${text}\n`);
}

function page({ method, url }: IncomingMessage, serves: () => boolean): [number, string] {
  if (method !== 'GET' && method !== 'HEAD') return [405, 'only GET is answered here'];
  if (url === '/healthz') return [200, 'ok'];
  if (url === '/readyz') return serves() ? [200, 'ready'] : [503, 'this node serves nothing at the moment'];
  return [404, 'there are /healthz and /readyz'];
}
