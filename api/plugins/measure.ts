/** How long the routes of the API take, by pattern: an unknown path is one series, whatever is asked for. */
import type { FastifyInstance } from 'fastify';
import type { Meters } from '../../shared/telemetry/meters.ts';

export function measureRequests(app: FastifyInstance, meters: Meters): void {
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
    const method = request.is404 ? 'any' : request.method;
    const labels = { method, route, status: String(reply.statusCode) };
    meters.observe('dormouse_api_request_seconds', labels, reply.elapsedTime / 1000);
    done();
  });
}
