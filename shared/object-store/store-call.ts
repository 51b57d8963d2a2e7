/**
 * One call to a store: its deadline, its retries, and the one place where whatever went wrong becomes a DormouseError.
 * A call returns by its deadline even if the SDK below ignores signals; what that leaves running dies with its socket.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { DormouseError } from '../errors/dormouse-error.ts';
import type { CallOptions } from './object-store.ts';
import type { StoreLimits } from './store-limits.ts';

export interface StoreCall {
  /** Ends with the call's deadline or its caller's signal. */
  readonly signal: AbortSignal;
  /**
   * Grants the time that this many bytes need over the slowest link we accept; once, however many attempts say so, or
   * attempts that keep failing early would never run out of time.
   */
  allowFor(sizeBytes: number): void;
  /** For one of several attempts: ends earlier than the call, so that a hung one leaves time for the next. */
  attemptSignal(sizeBytes: number): AbortSignal;
  /** The same for an attempt that learns the size only when the answer has begun. */
  startAttempt(): Attempt;
}

export interface Attempt extends Disposable {
  readonly signal: AbortSignal;
  /** Grants attempt and call the time for so many bytes. */
  allowFor(sizeBytes: number): void;
}

export interface CallSpec {
  /** For messages: `put actors/a/log/1 in s3://…`. */
  readonly what: string;
  readonly limits: StoreLimits;
  readonly options: CallOptions | undefined;
  readonly translate: (error: unknown, what: string) => DormouseError;
}

/** One call with all but its work settled. */
export type RunCall = <T>(work: (call: StoreCall) => Promise<T>) => Promise<T>;

export async function callStore<T>(spec: CallSpec, run: (call: StoreCall) => Promise<T>): Promise<T> {
  const caller = spec.options?.signal;
  const deadline = startDeadline(spec.limits.callTimeoutMs);
  const signal = caller === undefined ? deadline.signal : AbortSignal.any([caller, deadline.signal]);
  const call = newCall(spec.limits, signal, deadline);
  try {
    signal.throwIfAborted();
    return await untilAborted(signal, run(call));
  } catch (error) {
    if (caller?.aborted === true) throw endedByCaller(spec.what, caller.reason);
    if (deadline.signal.aborted) throw outOfTime(spec.what, deadline.timeoutMs(), error);
    throw error instanceof DormouseError ? error : spec.translate(error, spec.what);
  } finally {
    deadline.clear();
  }
}

/** An attempt gets this share of the call's time: room to see what became of it and to try twice more. */
const attemptsPerCall = 3;

function newCall(limits: StoreLimits, signal: AbortSignal, deadline: Deadline): StoreCall {
  const transferMs = (sizeBytes: number): number => Math.ceil((sizeBytes / limits.slowestBytesPerSecond) * 1_000);
  const firstMs = Math.ceil(limits.callTimeoutMs / attemptsPerCall);
  let allowedMs = 0;
  const allowFor = (sizeBytes: number): void => {
    const moreMs = transferMs(sizeBytes) - allowedMs;
    if (moreMs <= 0) return;
    allowedMs += moreMs;
    deadline.extend(moreMs);
  };
  return {
    signal,
    allowFor,
    attemptSignal: (sizeBytes) => AbortSignal.any([signal, AbortSignal.timeout(firstMs + transferMs(sizeBytes))]),
    startAttempt: () => {
      const own = startDeadline(firstMs);
      return {
        signal: AbortSignal.any([signal, own.signal]),
        allowFor: (sizeBytes) => {
          allowFor(sizeBytes);
          own.extend(transferMs(sizeBytes));
        },
        [Symbol.dispose]: () => own.clear(),
      };
    },
  };
}

interface Deadline {
  readonly signal: AbortSignal;
  timeoutMs(): number;
  extend(byMs: number): void;
  clear(): void;
}

function startDeadline(initialMs: number): Deadline {
  const controller = new AbortController();
  const startedAt = performance.now();
  let totalMs = initialMs;
  const arm = (): NodeJS.Timeout =>
    setTimeout(() => controller.abort(), Math.max(0, startedAt + totalMs - performance.now()));
  let timer = arm();
  let isOver = false;
  return {
    signal: controller.signal,
    timeoutMs: () => totalMs,
    extend: (byMs) => {
      if (isOver) return; // work that its caller gave up, and that learns of its size only now
      clearTimeout(timer);
      totalMs += byMs;
      timer = arm();
    },
    clear: () => {
      isOver = true;
      clearTimeout(timer);
    },
  };
}

/** The work's own outcome, or the signal's reason if that comes first. */
export function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** The first retry comes soon, for a broken connection; the last ones wait, for a server that restarts. */
const firstPauseMs = 50;
const longestPauseMs = 2_000;

/** Before attempt n + 1. Jitter keeps callers that failed together from coming back together. */
export async function pauseAfterAttempt(attempt: number, signal: AbortSignal): Promise<void> {
  const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1));
  await delay(pauseMs * (0.5 + Math.random() / 2), undefined, { signal });
}

/** Runs an attempt, and again after each failure that can pass, until the call ends. The last such failure is the cause. */
export async function retrying<T>(call: StoreCall, attempt: () => Promise<T>): Promise<T> {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!canPass(error)) throw error;
      await pauseAfterAttempt(count, call.signal).catch(() => {
        throw error;
      });
    }
  }
}

export const canPass = (error: unknown): boolean => error instanceof DormouseError && error.retryable;

function endedByCaller(what: string, reason: unknown): DormouseError {
  if (reason instanceof DormouseError) return reason;
  return new DormouseError('deadline-exceeded', `${what} was ended by its caller`, { cause: reason });
}

function outOfTime(what: string, timeoutMs: number, cause: unknown): DormouseError {
  const last = cause instanceof DormouseError ? `: ${cause.message}` : '';
  return new DormouseError('store-unavailable', `${what} did not finish within ${timeoutMs} ms${last}`, { cause });
}
