/** One measured call: what was asked, what came back, how long the client waited for all of it. */
import { DormouseApiError } from '../sdk/api-error.ts';
import { startHeader } from '../sdk/actor-call.ts';
import type { DormouseClient } from '../sdk/client.ts';
import type { StartKind } from '../shared/registry/records.ts';
import { phasesOf } from './server-timing.ts';

export interface Sample {
  /** The row of the report that it was measured for. */
  readonly series: string;
  readonly round: number;
  readonly actor: string;
  readonly at: string;
  /** Answered with 2xx or 3xx. */
  readonly ok: boolean;
  /** From the first byte asked to the last byte answered, at the client. Absent when the call was never made. */
  readonly latencyMs?: number;
  readonly status?: number;
  /** What the answer says about itself. */
  readonly start?: StartKind;
  /** Milliseconds by phase, from `Server-Timing`. */
  readonly phases: Readonly<Record<string, number>>;
  readonly error?: { readonly code: string; readonly message: string };
}

export type SampleHead = Pick<Sample, 'series' | 'round' | 'actor'>;

export type TimedStep = (signal: AbortSignal) => Promise<unknown>;

export interface CallTarget {
  readonly client: DormouseClient;
  readonly actor: string;
  readonly path: string;
}

/** A call that takes longer than this has failed for any purpose, and must not hold up the run. */
const callLimitMs = 120_000;

/**
 * Times `before` (when given) and the call as one. A refused or failed call is a sample too; only the end of the whole
 * run is thrown.
 */
export async function measureCall(
  head: SampleHead,
  target: CallTarget,
  signal: AbortSignal,
  before?: TimedStep,
): Promise<Sample> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(callLimitMs)]);
  const at = new Date().toISOString();
  const began = performance.now();
  const lasted = (): number => performance.now() - began;
  try {
    await before?.(limited);
    const response = await target.client.actor(target.actor).fetch(target.path, { signal: limited });
    await response.arrayBuffer();
    return { ...head, at, latencyMs: lasted(), ...answerFacts(response) };
  } catch (error) {
    signal.throwIfAborted();
    return { ...head, at, latencyMs: lasted(), ok: false, phases: {}, error: failureOf(error) };
  }
}

/** A round whose preparation failed (a suspend, a creation): counted as a failed call that was never made. */
export const unmade = (head: SampleHead, error: unknown): Sample => ({
  ...head,
  at: new Date().toISOString(),
  ok: false,
  phases: {},
  error: failureOf(error),
});

const startKinds: readonly string[] = ['cold', 'warm', 'hot'] satisfies StartKind[];

function answerFacts(response: Response): Pick<Sample, 'ok' | 'status' | 'start' | 'phases' | 'error'> {
  const start = response.headers.get(startHeader);
  const ok = response.status < 400;
  return {
    ok,
    status: response.status,
    ...(start !== null && startKinds.includes(start) ? { start: start as StartKind } : {}),
    phases: phasesOf(response.headers.get('server-timing')),
    ...(ok ? {} : { error: { code: `http-${response.status}`, message: 'the actor answered with an error' } }),
  };
}

function failureOf(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof DormouseApiError) return { code: error.code, message: error.message };
  if (!(error instanceof Error)) return { code: 'unknown', message: String(error) };
  return { code: error.name === 'TimeoutError' ? 'deadline-exceeded' : 'client-failed', message: error.message };
}
