/** The port to whatever records spans: one driver, otlp-spans.ts, loaded only when it is wanted (tracing.ts). */
import type { DormouseError } from '../errors/dormouse-error.ts';
import type { Span } from './trace-scope.ts';

export type Attributes = Readonly<Record<string, string | number>>;

export interface RecordedSpan extends Span {
  readonly traceparent: string;
  end(error?: DormouseError): void;
}

export interface SpanRecorder extends AsyncDisposable {
  /** Below the given context, or the first of a trace. */
  start(name: string, parent: string | undefined, kind: 'server' | 'consumer', attributes: Attributes): RecordedSpan;
}
