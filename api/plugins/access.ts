/** Who may call, and the id that every answer carries. */
import type { FastifyInstance } from 'fastify';
import { dashboardRoutes } from '../dashboard/serve.ts';
import { requestIdHeader } from '../http/request-id.ts';
import { requireToken } from '../http/token.ts';

/** Routes that tell nothing of anybody's actors. */
const open: ReadonlySet<string> = new Set([
  ...['/healthz', '/readyz', '/openapi.json', '/docs', '/errors/:code'],
  ...dashboardRoutes,
]);

export function guardAccess(app: FastifyInstance, token: string | undefined): void {
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header(requestIdHeader, request.id);
    // An unknown route answers 404 to anyone, a known one only to those who may know.
    if (!request.is404 && !open.has(request.routeOptions.url ?? '')) requireToken(request.raw, token);
    done();
  });
}
