/**
 * Builds the api from the parts it is given; listens to nothing itself. Requests and upgrades for actors are taken out of
 * the server ahead of the framework (invoke/router.ts); all others are the framework's.
 */
import Fastify, { LogController } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ApiApp, RouteParts } from './app.ts';
import { createAccess } from './access/access.ts';
import { createTokenCache } from './access/token-cache.ts';
import { createExecRouter, type ExecRouter } from './guest/exec-router.ts';
import { createNodeClients } from './guest/node-clients.ts';
import { createEventFeed } from './events/event-feed.ts';
import { serveDashboard } from './dashboard/serve.ts';
import { requestIdOf } from './http/request-id.ts';
import { createNodeDirectory } from './invoke/node-directory.ts';
import { createPendingRequests } from './invoke/pending.ts';
import { createRouteCache } from './invoke/route-cache.ts';
import { createInvokeRouter, type InvokeRouter } from './invoke/router.ts';
import type { ApiParts } from './parts.ts';
import { guardAccess } from './plugins/access.ts';
import { describeApi } from './plugins/describe.ts';
import { honourIdempotencyKeys } from './plugins/idempotency.ts';
import { answerWithProblems } from './plugins/problems.ts';
import { traceRequests } from './plugins/trace.ts';
import { guardWebhooks } from './plugins/webhooks.ts';
import { registerRoutes } from './routes/routes.ts';
import { watchActors } from './scheduler/actor-watch.ts';
import { measureRequests } from './plugins/measure.ts';
import { createParking } from './scheduler/parking.ts';
import { createTemplateCache } from '../shared/registry/template-cache.ts';

export interface Api extends AsyncDisposable {
  readonly app: ApiApp;
  /** Serves; returns the URL. */
  listen(host: string, port: number): Promise<string>;
  /** Refuses new calls, lets those under way end within the limit, then closes. Safe to call again. */
  close(drainMs: number): Promise<void>;
}

/** A template with a large environment; no other body comes near. */
const bodyLimitBytes = 1024 * 1024;
/** Longer than usual load balancers keep an idle connection, so that they, not we, close it. */
const keepAliveTimeoutMs = 75_000;

/** Answers of the API's own routes end at once when the process stops; what lasts longer is stuck. */
const closeLimitMs = 5000;

export async function buildServer(parts: ApiParts): Promise<Api> {
  const stopping = new AbortController();
  const watch = watchActors(parts.registry);
  const templates = createTemplateCache(parts.registry);
  const nodes = createNodeDirectory(parts.registry);
  const parking = createParking(parts.registry, parts.maxParked);
  const feed = createEventFeed(parts.registry);
  const routes = createRouteCache(parts.registry);
  const nodeClients = createNodeClients(parts.registry);
  const tokens = createTokenCache(parts.store, parts.registry);
  const access = createAccess(parts.token, tokens);
  const reachParts = { ...parts, access, watch, templates, nodes, routes, parking, pending: createPendingRequests() };
  const router = createInvokeRouter(reachParts);
  const guest = { ...reachParts, nodeClients };
  const programs = createExecRouter(guest);
  readGauges(parts, { parking, router, feed });
  const app = Fastify<Server, IncomingMessage, ServerResponse>({
    loggerInstance: parts.log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyLimitBytes,
    genReqId: requestIdOf,
    return503OnClosing: false,
    serverFactory: (handle) => serverFor(router, programs, handle),
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  answerWithProblems(app);
  guardAccess(app, access);
  guardWebhooks(app, parts.store);
  measureRequests(app, parts.meters);
  traceRequests(app, parts.tracing);
  honourIdempotencyKeys(app, parts.registry);
  await describeApi(app);
  const routeParts: RouteParts = { ...parts, watch, templates, parking, feed, guest, stopping: stopping.signal };
  registerRoutes(app, routeParts);
  await serveDashboard(app, parts.actorDomain);
  await app.ready();

  let closing: Promise<void> | undefined;
  const close = async (drainMs: number): Promise<void> => {
    stopping.abort(new Error('the api is stopping'));
    programs[Symbol.dispose]();
    await router.drain(drainMs);
    await closeServer(app);
    parking[Symbol.dispose]();
    feed[Symbol.dispose]();
    watch[Symbol.dispose]();
    routes[Symbol.dispose]();
    nodes[Symbol.dispose]();
    nodeClients[Symbol.dispose]();
    tokens[Symbol.dispose]();
  };
  return {
    app,
    listen: (host, port) => app.listen({ host, port }),
    close: (drainMs) => (closing ??= close(drainMs)),
    [Symbol.asyncDispose]: () => (closing ??= close(0)),
  };
}

function readGauges(
  { meters, registry }: ApiParts,
  held: Pick<RouteParts, 'parking' | 'feed'> & { router: InvokeRouter },
) {
  meters.read('dormouse_calls_parked', () => held.parking.size);
  meters.read('dormouse_calls_under_way', () => held.router.underWay);
  meters.read('dormouse_event_readers', () => held.feed.readers);
  const nodes = async (live: boolean): Promise<number> =>
    (await registry.listNodes()).filter(({ leaseMs }) => leaseMs > 0 === live).length;
  meters.read('dormouse_nodes_live', () => nodes(true));
  meters.read('dormouse_nodes_without_lease', () => nodes(false));
}

/**
 * The server closes the connections that are idle at that moment only; one whose answer ends a little later would hold it
 * up for the whole keep-alive time. So idle ones are closed again and again, and after the limit all of them.
 */
async function closeServer(app: ApiApp): Promise<void> {
  const sweep = setInterval(() => app.server.closeIdleConnections(), 50);
  const limit = setTimeout(() => app.server.closeAllConnections(), closeLimitMs);
  try {
    await app.close();
  } finally {
    clearInterval(sweep);
    clearTimeout(limit);
  }
}

function serverFor(router: InvokeRouter, programs: ExecRouter, handle: RequestListener): Server {
  const server = createServer({
    keepAliveTimeout: keepAliveTimeoutMs,
    // An upload, or the wait for a wake, may take longer than any limit that fits all requests.
    requestTimeout: 0,
    // Clients that offer h2c on every request (`Upgrade: h2c`) want an ordinary answer.
    shouldUpgradeCallback: (request) =>
      request.headers.upgrade?.toLowerCase() === 'websocket' &&
      (router.addressOf(request) !== undefined || programs.matches(request)),
  });
  const take: RequestListener = (request, response) => {
    const address = router.addressOf(request);
    if (address === undefined) handle(request, response);
    else void router.serve(address, request, response);
  };
  server.on('request', take);
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    // For an actor the 100 is said when its node wants the body; the framework reads every body.
    if (router.addressOf(request) === undefined) response.writeContinue();
    take(request, response);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const address = router.addressOf(request);
    if (address === undefined) void programs.serve(request, socket, head);
    else void router.serveUpgrade(address, request, socket, head);
  });
  return server;
}
