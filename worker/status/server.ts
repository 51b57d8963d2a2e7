/**
 * What whoever operates a worker asks it directly, on a port of its own: GET /healthz says that its event loop turns,
 * GET /readyz whether its node serves (503 while it starts, is frozen or stops), GET /metrics what it counts. It answers
 * nothing about actors.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listen, type Listening } from '../../shared/http/listen.ts';
import type { Meters } from '../../shared/telemetry/meters.ts';

/** Only probes and scrapers come here: nobody needs longer for a request. */
const requestLimitMs = 5000;

export interface Status {
  readonly serves: () => boolean;
  readonly meters: Pick<Meters, 'text' | 'contentType'>;
}

export async function startStatusServer(host: string, port: number, status: Status): Promise<Listening> {
  const limits = { requestTimeout: requestLimitMs, headersTimeout: requestLimitMs };
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response, status).catch(() => response.destroy());
  };
  return listen(createServer(limits, handle), host, port);
}

async function answer(request: IncomingMessage, response: ServerResponse, status: Status): Promise<void> {
  const [code, text, type] = await page(request, status);
  response.writeHead(code, { 'content-type': type ?? 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  response.end(`${text}\n`);
}

type Page = readonly [code: number, text: string, type?: string];

async function page({ method, url }: IncomingMessage, { serves, meters }: Status): Promise<Page> {
  if (method !== 'GET' && method !== 'HEAD') return [405, 'only GET is answered here'];
  if (url === '/healthz') return [200, 'ok'];
  if (url === '/readyz') return serves() ? [200, 'ready'] : [503, 'this node serves nothing at the moment'];
  if (url === '/metrics') return [200, await meters.text(), meters.contentType];
  return [404, 'there are /healthz, /readyz and /metrics'];
}
