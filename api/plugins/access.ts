/** Who may call, and the id that every answer carries. */
import type { FastifyInstance } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { dashboardRoutes } from '../dashboard/serve.ts';
import { requestIdHeader } from '../http/request-id.ts';
import { isLoopback } from '../config.ts';
import { requireToken } from '../http/token.ts';
import { metricsPath } from '../routes/health/metrics.ts';

/** A scraper on the machine itself needs no token; whoever comes through a proxy is somebody else. */
const isLocalScrape = ({ headers, socket }: IncomingMessage): boolean =>
  isLoopback(socket.remoteAddress ?? '') && headers['x-forwarded-for'] === undefined && headers.forwarded === undefined;

/** Routes that tell nothing of anybody's actors. */
const open: ReadonlySet<string> = new Set([
  ...['/healthz', '/readyz', '/openapi.json', '/docs', '/errors/:code'],
  ...dashboardRoutes,
]);

export function guardAccess(app: FastifyInstance, token: string | undefined): void {
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header(requestIdHeader, request.id);
    // An unknown route answers 404 to anyone, a known one only to those who may know.
    const route = request.routeOptions.url ?? '';
    const isOpen = request.is404 || open.has(route) || (route === metricsPath && isLocalScrape(request.raw));
    if (!isOpen) requireToken(request.raw, token);
    done();
  });
}
