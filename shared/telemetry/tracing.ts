/**
 * Traces. Without OTEL_EXPORTER_OTLP_ENDPOINT nothing of OpenTelemetry is loaded, and all that remains of a trace is its
 * id in the log and in jobs. With it, spans go there by OTLP/HTTP (otlp-spans.ts); an endpoint that does not answer loses
 * them and disturbs nothing.
 */
import type { DormouseError } from '../errors/dormouse-error.ts';
import type { Attributes, SpanRecorder } from './span-recorder.ts';
import { inScope, newTraceparent, scopeOf, validTraceparent } from './trace-scope.ts';

export interface Tracing extends AsyncDisposable {
  /** Undefined while spans are not recorded. */
  readonly recorder: SpanRecorder | undefined;
}

/** The rest of the spans is sent when the process stops, unless nobody takes them. */
export async function openTracing(service: string, endpoint: string | undefined, instance: string): Promise<Tracing> {
  if (endpoint === undefined) return { recorder: undefined, [Symbol.asyncDispose]: () => Promise.resolve() };
  const { recordSpans } = await import('./otlp-spans.ts');
  const recorder = recordSpans(service, endpoint, instance);
  return { recorder, [Symbol.asyncDispose]: () => recorder[Symbol.asyncDispose]() };
}

export interface TracedWork {
  readonly name: string;
  /** As it came with the request or the job; anything that is no context begins a new trace. */
  readonly traceparent: unknown;
  /** Names the trace that begins here without one. */
  readonly requestId?: string;
  readonly kind: 'server' | 'consumer';
  readonly attributes: Attributes;
}

/** Does the work in the scope of its trace, and in a span if spans are recorded. `toError` reads what it throws. */
export async function traced<Result>(
  { recorder }: Pick<Tracing, 'recorder'>,
  { name, traceparent, requestId, kind, attributes }: TracedWork,
  toError: (cause: unknown) => DormouseError,
  work: () => Promise<Result>,
): Promise<Result> {
  const parent = validTraceparent(traceparent);
  if (recorder === undefined) return inScope(scopeOf(parent ?? newTraceparent(requestId)), work);
  const span = recorder.start(name, parent, kind, attributes);
  try {
    const result = await inScope({ ...scopeOf(span.traceparent), span }, work);
    span.end();
    return result;
  } catch (cause) {
    span.end(toError(cause));
    throw cause;
  }
}
