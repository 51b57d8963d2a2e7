/**
 * The one error type that crosses a boundary. Vendor and errno errors are translated into it once, at the driver;
 * between processes it travels as `SerializedError` (in a job result, an operation, an actor's `lastError`).
 */
import { z } from 'zod';
import { errorCodes, isErrorCode, type ErrorCode } from './codes.ts';

export interface FieldError {
  readonly field: string;
  readonly message: string;
}

export interface ErrorFacts {
  readonly cause?: unknown;
  /** Facts for the reader: ids, sizes, the guest's words. JSON only. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly errors?: readonly FieldError[];
  readonly retryAfterMs?: number;
}

export class DormouseError extends Error {
  override readonly name = 'DormouseError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;
  readonly errors: readonly FieldError[];
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.details = facts.details ?? {};
    this.errors = facts.errors ?? [];
    this.retryAfterMs = facts.retryAfterMs;
  }

  get retryable(): boolean {
    return errorCodes[this.code].retryable;
  }
}

export const serializedErrorSchema = z.object({
  code: z.string(),
  message: z.string(),
  retryable: z.boolean(),
  at: z.iso.datetime(),
  details: z.record(z.string(), z.unknown()).optional(),
});
export type SerializedError = z.infer<typeof serializedErrorSchema>;

/** Anything thrown, as a DormouseError; what is not one already is `internal` or `disk-full`, and keeps its cause. */
export function toDormouseError(error: unknown): DormouseError {
  if (error instanceof DormouseError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new DormouseError(saysFull(error) ? 'disk-full' : 'internal', message, { cause: error });
}

/** The one failure of a disk that is neither a defect nor damage: it ends when somebody makes room. */
const saysFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');

export function serializeError(error: unknown): SerializedError {
  const known = toDormouseError(error);
  const details = Object.keys(known.details).length > 0 ? { details: { ...known.details } } : {};
  return {
    code: known.code,
    message: known.message,
    retryable: known.retryable,
    at: new Date().toISOString(),
    ...details,
  };
}

export function deserializeError(serialized: SerializedError): DormouseError {
  const code = isErrorCode(serialized.code) ? serialized.code : 'internal';
  return new DormouseError(code, serialized.message, serialized.details ? { details: serialized.details } : {});
}
