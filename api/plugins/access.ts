/** Which scope each route needs, and the id that every answer carries. */
import type { FastifyInstance } from 'fastify';
import type { IncomingMessage } from 'node:http';
import type { Scope } from '../../shared/access/stored-tokens.ts';
import type { Access } from '../access/access.ts';
import { isLoopback } from '../config.ts';
import { dashboardRoutes } from '../dashboard/serve.ts';
import { requestIdHeader } from '../http/request-id.ts';
import { metricsPath } from '../routes/health/metrics.ts';

/** A scraper on the machine itself needs no token; whoever comes through a proxy is somebody else. */
const isLocalScrape = ({ headers, socket }: IncomingMessage): boolean =>
  isLoopback(socket.remoteAddress ?? '') && headers['x-forwarded-for'] === undefined && headers.forwarded === undefined;

/** Routes that tell nothing of anybody's actors. */
const open: ReadonlySet<string> = new Set([
  ...['/healthz', '/readyz', '/openapi.json', '/docs', '/errors/:code'],
  ...dashboardRoutes,
]);

/** They are read, and yet give more away than the state of things: what is inside of an actor, and who may call. */
const adminOnly: ReadonlySet<string> = new Set([
  '/v1/actors/:id/exec',
  '/v1/actors/:id/files',
  '/v1/tokens',
  '/v1/tokens/:id',
  '/v1/webhooks',
  '/v1/webhooks/:id',
]);

/** Whatever changes something is for admins. */
function scopeOf(method: string, url: string): Scope {
  const reads = method === 'GET' || method === 'HEAD';
  return reads && !adminOnly.has(url) ? 'read' : 'admin';
}

/** The scope that a route asks for, by its path as it was registered; undefined: it asks for no token. */
export const neededScope = (method: string, url: string): Scope | undefined =>
  open.has(url) ? undefined : scopeOf(method, url);

export function guardAccess(app: FastifyInstance, access: Access): void {
  app.addHook('onRequest', async (request, reply) => {
    void reply.header(requestIdHeader, request.id);
    const url = request.routeOptions.url ?? '';
    // An unknown route answers 404 to anyone, a known one only to those who may know.
    const isOpen = request.is404 || open.has(url) || (url === metricsPath && isLocalScrape(request.raw));
    if (!isOpen) await access.admit(request.raw, scopeOf(request.method, url));
  });
}
