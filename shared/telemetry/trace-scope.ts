/**
 * What a request or a job carries through all that is done for it: its trace, and the span of it while spans are recorded.
 * Log lines written inside have its `traceId` (logger.ts). It costs nothing where no scope was entered.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { hash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export interface TraceScope {
  readonly traceId: string;
  /** W3C context for what is caused elsewhere. */
  readonly traceparent: string;
  /** Absent while no spans are recorded. */
  readonly span?: Span;
}

/** A span under way. */
export interface Span {
  /** A part of it that ended just now and took that long. */
  phase(name: string, ms: number): void;
}

const storage = new AsyncLocalStorage<TraceScope>();

export const currentScope = (): TraceScope | undefined => storage.getStore();

export const inScope = <Result>(scope: TraceScope, work: () => Result): Result => storage.run(scope, work);

/** Version 00 of the W3C trace context; of a later version these parts mean the same. */
const format = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The context as it was sent, if it is one. */
export const validTraceparent = (value: unknown): string | undefined =>
  typeof value === 'string' && format.test(value) ? value : undefined;

/** The scope of a context that somebody else began. */
export function scopeOf(traceparent: string): TraceScope {
  return { traceId: traceparent.slice(3, 35), traceparent };
}

/** Of a request: the trace it came with, or one of its own. */
export const requestScope = (request: IncomingMessage, requestId: string): TraceScope =>
  scopeOf(validTraceparent(request.headers['traceparent']) ?? newTraceparent(requestId));

/**
 * A trace that begins here; of a request, always the same one. Not sampled: nobody records spans of it, but its id stands
 * in every log line.
 */
export function newTraceparent(requestId?: string): string {
  const hex = requestId === undefined ? randomBytes(24).toString('hex') : hash('sha256', requestId, 'hex');
  return `00-${hex.slice(0, 32)}-${hex.slice(32, 48)}-00`;
}
