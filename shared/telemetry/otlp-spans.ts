/**
 * Spans by OTLP over HTTP, in batches. Loaded only when an endpoint is configured (tracing.ts). What cannot be sent is
 * dropped: queue, batch and time are bounded, and nobody waits for an export but the end of the process, for a while.
 * OTEL_EXPORTER_OTLP_HEADERS, and the like, are read by the exporter itself.
 */
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Span as OtelSpan } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, BatchSpanProcessor, ParentBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import type { RecordedSpan, SpanRecorder } from './span-recorder.ts';

/** Somebody looks at a trace soon after the call. */
const sendEveryMs = 1000;
/** Also bounds how long a process that stops waits for a collector that is gone. */
const exportLimitMs = 3000;

const kinds = { server: SpanKind.SERVER, consumer: SpanKind.CONSUMER } as const;

export function recordSpans(service: string, endpoint: string, instance: string): SpanRecorder {
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    timeoutMillis: exportLimitMs,
  });
  const batches = { exporter, scheduledDelayMillis: sendEveryMs, exportTimeoutMillis: exportLimitMs };
  const provider = new TracerProvider({
    // Whether a trace is recorded is the decision of whoever began it.
    sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    resource: resourceFromAttributes({ 'service.name': service, 'service.instance.id': instance }),
    spanProcessors: [new BatchSpanProcessor(batches)],
  });
  const tracer = provider.getTracer('dormouse');
  return {
    start(name, parent, kind, attributes) {
      const context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, contextOf(parent));
      const span = tracer.startSpan(name, { kind: kinds[kind], attributes }, context);
      const within = trace.setSpan(context, span);
      return recorded(span, (phase, ms) => {
        const now = performance.now();
        tracer.startSpan(phase, { startTime: now - ms }, within).end(now);
      });
    },
    async [Symbol.asyncDispose]() {
      await provider.shutdown().catch(() => undefined);
    },
  };
}

function recorded(span: OtelSpan, phase: RecordedSpan['phase']): RecordedSpan {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
    phase,
    end(error) {
      if (error !== undefined) {
        span.setAttribute('error.type', error.code);
        span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
      }
      span.end();
    },
  };
}

/** Of a context that was found valid (trace-scope.ts). */
function contextOf(traceparent: string) {
  const [, traceId = '', spanId = '', flags = '0'] = traceparent.split('-');
  return { traceId, spanId, traceFlags: parseInt(flags, 16) & 1, isRemote: true };
}
