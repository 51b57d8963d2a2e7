/** Each request in the scope of its trace; one that may change something is a span of it, when spans are recorded. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import {
  inScope,
  requestScope,
  scopeOf,
  validTraceparent,
  type TraceScope,
} from '../../shared/telemetry/trace-scope.ts';
import type { RecordedSpan, SpanRecorder } from '../../shared/telemetry/span-recorder.ts';
import type { Tracing } from '../../shared/telemetry/tracing.ts';

export function traceRequests(app: FastifyInstance, { recorder }: Pick<Tracing, 'recorder'>): void {
  const scopes = new WeakMap<FastifyRequest, TraceScope>();
  const spans = new WeakMap<FastifyRequest, RecordedSpan>();
  app.addHook('onRequest', (request, _reply, done) => {
    const span = recorder === undefined || !isChange(request) ? undefined : spanOf(recorder, request);
    if (span !== undefined) spans.set(request, span);
    const scope = span === undefined ? requestScope(request.raw, request.id) : { ...scopeOf(span.traceparent), span };
    scopes.set(request, scope);
    inScope(scope, done);
  });
  // The reading of a body ends in the scope of its connection.
  app.addHook('preHandler', (request, _reply, done) => {
    const scope = scopes.get(request);
    if (scope === undefined) done();
    else inScope(scope, done);
  });
  app.addHook('onResponse', (request, { statusCode }, done) => {
    spans.get(request)?.end(statusCode < 500 ? undefined : new DormouseError('internal', `answered ${statusCode}`));
    done();
  });
}

const isChange = ({ method, is404 }: FastifyRequest): boolean => !is404 && method !== 'GET' && method !== 'HEAD';

function spanOf(recorder: SpanRecorder, { method, routeOptions, headers }: FastifyRequest): RecordedSpan {
  const route = routeOptions.url ?? '';
  const attributes = { 'http.request.method': method, 'http.route': route };
  return recorder.start(`${method} ${route}`, validTraceparent(headers['traceparent']), 'server', attributes);
}
