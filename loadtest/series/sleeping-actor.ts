/** An actor that a series puts to sleep before each of its calls. */
import { measureCall, unmade, type Sample, type SampleHead, type TimedStep } from '../sample.ts';
import type { Bench } from './series.ts';

/** A suspend ships its snapshot to the store; the api's own limit for that is two minutes. */
const suspendLimitMs = 130_000;

/** Creates an actor and calls it once, so that its later wakes are those of an actor that has run. */
export async function usedActor(bench: Bench, template: string, signal: AbortSignal): Promise<string> {
  const actor = await bench.made.actor(template, { coldStart: false }, signal);
  const response = await bench.client.actor(actor).fetch(bench.path, { signal });
  await response.arrayBuffer();
  return actor;
}

export async function suspended(bench: Bench, actor: string, signal: AbortSignal): Promise<void> {
  // The api waits too, so that a suspend that fails is reported with its own reason.
  await bench.client.actors.suspend(actor, { signal, waitMs: suspendLimitMs });
  await bench.client.actors.wait(actor, 'suspended', { signal, timeoutMs: suspendLimitMs });
}

/**
 * Puts the actor to sleep, then measures the call that wakes it. `prepare` runs untimed in between; the step it returns
 * is timed together with the call.
 */
export async function measureWake(
  bench: Bench,
  head: SampleHead,
  signal: AbortSignal,
  prepare?: (signal: AbortSignal) => Promise<TimedStep>,
): Promise<Sample> {
  try {
    await suspended(bench, head.actor, signal);
    const before = await prepare?.(signal);
    return await measureCall(head, { ...bench, actor: head.actor }, signal, before);
  } catch (error) {
    signal.throwIfAborted();
    return unmade(head, error);
  }
}
