/**
 * Which scope each route needs, in which namespace it works, and the id that every answer carries. Handlers of an actor's
 * routes get its qualified name as `id`, so that none can reach into another namespace by forgetting about them.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import type { Scope } from '../../shared/access/stored-tokens.ts';
import { defaultNamespace, qualify } from '../../shared/actor/namespace.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { Access } from '../access/access.ts';
import { everyNamespace, namespaceFor, noName, type Caller } from '../access/namespace.ts';
import { isLoopback } from '../config.ts';
import { dashboardRoutes } from '../dashboard/serve.ts';
import { requestIdHeader } from '../http/request-id.ts';
import { metricsPath } from '../routes/health/metrics.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined on routes that are open to everybody. */
    caller: Caller | undefined;
    /** In which it works; `everyNamespace` on lists alone. */
    namespace: string;
  }
}

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

/** What is of a namespace. All else is the platform's, and for nobody who is bound to one. */
const namespaced = /^\/v1\/(actors|templates|operations|events|webhooks)(\/|$)/;

/** What may be asked of all namespaces at once. */
const acrossNamespaces: ReadonlySet<string> = new Set(['/v1/actors', '/v1/templates', '/v1/events', '/v1/webhooks']);

/** Whatever changes something is for admins. */
function scopeOf(method: string, url: string): Scope {
  const reads = method === 'GET' || method === 'HEAD';
  return reads && !adminOnly.has(url) ? 'read' : 'admin';
}

/** The scope that a route asks for, by its path as it was registered; undefined: it asks for no token. */
export const neededScope = (method: string, url: string): Scope | undefined =>
  open.has(url) ? undefined : scopeOf(method, url);

export function guardAccess(app: FastifyInstance, access: Access): void {
  app.decorateRequest('caller', undefined);
  app.decorateRequest('namespace', defaultNamespace);
  app.addHook('onRequest', async (request, reply) => {
    void reply.header(requestIdHeader, request.id);
    const url = request.routeOptions.url ?? '';
    // An unknown route answers 404 to anyone, a known one only to those who may know.
    const isOpen = request.is404 || open.has(url) || (url === metricsPath && isLocalScrape(request.raw));
    if (isOpen) return;
    const caller = await access.admit(request.raw, scopeOf(request.method, url));
    request.caller = caller;
    if (namespaced.test(url)) request.namespace = namespaceOn(request, caller);
    else if (caller.boundTo !== undefined) throw ofThePlatform(caller.boundTo);
  });
  // After the check of the schema: what is qualified already is no id there.
  app.addHook('preHandler', ({ routeOptions, params, namespace }, _reply, done) => {
    const ofActor = routeOptions.url?.startsWith('/v1/actors/:id') === true;
    const given = params as { id: string };
    if (ofActor) given.id = qualify(namespace, given.id);
    done();
  });
}

function namespaceOn({ raw, method, routeOptions }: FastifyRequest, caller: Caller): string {
  const namespace = namespaceFor(raw, caller);
  if (namespace !== everyNamespace) return namespace;
  const changes = method === 'POST' && routeOptions.url !== '/v1/webhooks';
  if (acrossNamespaces.has(routeOptions.url ?? '') && !changes) return namespace;
  throw noName('this is done in one namespace: name it');
}

const ofThePlatform = (boundTo: string): DormouseError =>
  new DormouseError('forbidden', `this is the platform's: a token of the namespace ${boundTo} does not reach it`);
