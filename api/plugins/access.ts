/** Which scope each route needs, and the id that every answer carries. */
import type { FastifyInstance } from 'fastify';
import type { Scope } from '../../shared/access/stored-tokens.ts';
import type { Access } from '../access/access.ts';
import { requestIdHeader } from '../http/request-id.ts';

/** Routes that tell nothing of anybody's actors. */
const open: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/openapi.json', '/docs', '/errors/:code']);

/** They are read, and yet give more away than the state of things: what is inside of an actor, and who may call. */
const adminOnly: ReadonlySet<string> = new Set([
  '/v1/actors/:id/exec',
  '/v1/actors/:id/files',
  '/v1/tokens',
  '/v1/tokens/:id',
]);

/** Whatever changes something is for admins. */
function scopeOf(method: string, url: string): Scope {
  const reads = method === 'GET' || method === 'HEAD';
  return reads && !adminOnly.has(url) ? 'read' : 'admin';
}

export function guardAccess(app: FastifyInstance, access: Access): void {
  app.addHook('onRequest', async (request, reply) => {
    void reply.header(requestIdHeader, request.id);
    const url = request.routeOptions.url ?? '';
    // An unknown route answers 404 to anyone, a known one only to those who may know.
    if (!request.is404 && !open.has(url)) await access.admit(request.raw, scopeOf(request.method, url));
  });
}
