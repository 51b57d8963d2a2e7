/** GET /v1/events: every state change as a server-sent event. A hint to look, never the truth itself. */
import type { ServerResponse } from 'node:http';
import type { ApiApp, RouteParts } from '../../app.ts';
import { requestIdHeader } from '../../http/request-id.ts';

/** Proxies take a silent connection for dead after half a minute or more. */
const heartbeatMs = 15_000;
/** A reader that is this far behind is cut off: it may connect again and look. */
const longestBacklogBytes = 1024 * 1024;

export function streamRoute(app: ApiApp, parts: RouteParts): void {
  app.get(
    '/v1/events',
    { schema: { tags: ['events'], summary: 'Every state change, as server-sent events' } },
    (request, reply) => {
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        [requestIdHeader]: request.id,
      });
      raw.write(': listening\n\n');
      const feed = parts.registry.watch((change) => {
        if (change.kind === 'token') return; // who may call is not for everyone who may read
        send(raw, `event: ${change.kind}\ndata: ${JSON.stringify(change)}\n\n`);
      });
      const heartbeat = setInterval(() => send(raw, ': still here\n\n'), heartbeatMs);
      const stop = (): void => void raw.end();
      parts.stopping.addEventListener('abort', stop);
      raw.once('close', () => {
        clearInterval(heartbeat);
        feed[Symbol.dispose]();
        parts.stopping.removeEventListener('abort', stop);
      });
    },
  );
}

function send(raw: ServerResponse, text: string): void {
  if (raw.writableLength > longestBacklogBytes) raw.destroy();
  else raw.write(text);
}
