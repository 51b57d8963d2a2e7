/**
 * The open loop: sends each call at its time, whatever became of those before. What a call is told is the instant at
 * which it was meant to be sent; its latency counts from there, so that the wait of a call which the generator itself
 * sent late is not left out (coordinated omission). Returns when every call has ended. Throws the signal's reason, or
 * the first thing that a call threw.
 */
import { setTimeout as delay } from 'node:timers/promises';

export interface Arrival {
  readonly index: number;
  /** After the start of the loop. */
  readonly offsetMs: number;
  /** On the clock of `performance.now()`. */
  readonly intendedAt: number;
}

export type SendCall = (arrival: Arrival) => Promise<unknown>;

/** `setTimeout` counts in whole milliseconds; what is due within one is sent now. */
const timerGrainMs = 1;

export async function openLoop(schedule: readonly number[], signal: AbortSignal, send: SendCall): Promise<void> {
  const began = performance.now();
  const underWay = new Set<Promise<unknown>>();
  const failures: unknown[] = [];
  for (const [index, offsetMs] of schedule.entries()) {
    const intendedAt = began + offsetMs;
    const earlyMs = intendedAt - performance.now();
    if (earlyMs >= timerGrainMs) await delay(earlyMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    const call: Promise<unknown> = send({ index, offsetMs, intendedAt })
      .catch((error: unknown) => failures.push(error))
      .finally(() => underWay.delete(call));
    underWay.add(call);
  }
  await Promise.all(underWay);
  signal.throwIfAborted();
  if (failures.length > 0) throw failures[0];
}
