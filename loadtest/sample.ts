/** One measured call: what was asked, what came back, how long the client waited for all of it. */
import { DormouseApiError } from '../sdk/api-error.ts';
import { DormouseError } from '../shared/errors/dormouse-error.ts';
import type { Sample } from './result/result.ts';
import type { Target } from './target/target.ts';

export type SampleHead = Pick<Sample, 'series' | 'actor'>;

export type TimedStep = (signal: AbortSignal) => Promise<unknown>;

export interface CallPlan {
  readonly target: Target;
  readonly path: string;
  /** When the call was meant to be sent, on the clock of `performance.now()`; without it, now. */
  readonly intendedAt?: number;
  /** Timed together with the call. */
  readonly before?: TimedStep | undefined;
}

/** A call that takes longer than this has failed for any purpose, and must not hold up the run. */
const callLimitMs = 120_000;

/** A refused or failed call is a sample too; only the end of the whole run is thrown. */
export async function measureCall(head: SampleHead, plan: CallPlan, signal: AbortSignal): Promise<Sample> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(callLimitMs)]);
  const sentAt = performance.now();
  const { target, path, before, intendedAt = sentAt } = plan;
  const at = new Date(performance.timeOrigin + intendedAt).toISOString();
  // Timers have a grain: a call that went out within it before its time has waited for nothing yet.
  const from = Math.min(intendedAt, sentAt);
  const clock = () => ({ at, latencyMs: performance.now() - from, lateMs: sentAt - from });
  try {
    await before?.(limited);
    const answer = await target.call(head.actor, path, limited);
    const ok = answer.status < 400;
    const error = { code: `http-${answer.status}`, message: 'the actor answered with an error' };
    return { ...head, ...clock(), ok, ...answer, ...(ok ? {} : { error }) };
  } catch (error) {
    signal.throwIfAborted();
    return { ...head, ...clock(), ok: false, phases: {}, error: failureOf(error) };
  }
}

/** A call whose preparation failed (a suspend, a creation): counted as a failed call that was never made. */
export const unmade = (head: SampleHead, error: unknown): Sample => ({
  ...head,
  at: new Date().toISOString(),
  ok: false,
  phases: {},
  error: failureOf(error),
});

function failureOf(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof DormouseApiError || error instanceof DormouseError) {
    return { code: error.code, message: error.message };
  }
  if (!(error instanceof Error)) return { code: 'unknown', message: String(error) };
  return { code: error.name === 'TimeoutError' ? 'deadline-exceeded' : 'client-failed', message: error.message };
}
