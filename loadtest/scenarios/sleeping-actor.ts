/** Actors that are put to sleep before they are called. */
import { openLoop } from '../load/open-loop.ts';
import { measureCall, unmade, type TimedStep } from '../sample.ts';
import type { Bench } from './series.ts';

/** Creates an actor and calls it once, so that its later wakes are those of an actor that has run. */
export async function usedActor(bench: Bench, signal: AbortSignal): Promise<string> {
  const actor = await bench.target.create({ coldStart: false }, signal);
  await bench.target.call(actor, bench.path, signal);
  return actor;
}

/** One after the other, each asleep before the next: what they need together must not be more than there is. */
export async function sleepingActors(bench: Bench, count: number, signal: AbortSignal): Promise<string[]> {
  const actors: string[] = [];
  for (let made = 1; made <= count; made++) {
    bench.progress.doing('making actors', `: ${made} of ${count}`);
    const actor = await usedActor(bench, signal);
    await bench.target.sleep(actor, signal);
    actors.push(actor);
  }
  return actors;
}

/** Puts it to sleep and keeps how long that took and what it shipped. */
export async function putToSleep(bench: Bench, series: string, actor: string, signal: AbortSignal): Promise<void> {
  const at = new Date().toISOString();
  const began = performance.now();
  const { shippedBytes } = await bench.target.sleep(actor, signal);
  const durationMs = performance.now() - began;
  bench.recorder.recordSleep({
    series,
    actor,
    at,
    durationMs,
    ...(shippedBytes === undefined ? {} : { shippedBytes }),
  });
}

/** Untimed work of a series: its failure is a failed call that was never made; only the end of the run is thrown. */
export async function orUnmade(
  bench: Bench,
  series: string,
  actor: string,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    signal.throwIfAborted();
    bench.recorder.record(unmade({ series, actor }, error));
  }
}

export interface WakePlan {
  readonly series: string;
  readonly actors: readonly string[];
  /** When each is called. */
  readonly schedule: readonly number[];
  /** Timed together with the call. */
  readonly before?: (actor: string) => TimedStep;
}

/** Puts all of them to sleep, then calls each at its time. */
export async function measureWakes(bench: Bench, plan: WakePlan, signal: AbortSignal): Promise<void> {
  const { series, actors, schedule, before } = plan;
  const asleep: string[] = [];
  for (const actor of actors) {
    await orUnmade(bench, series, actor, signal, async () => {
      await putToSleep(bench, series, actor, signal);
      asleep.push(actor);
    });
  }
  await openLoop(schedule.slice(0, asleep.length), signal, async ({ index, intendedAt }) => {
    const actor = asleep[index] ?? '';
    const { target, path } = bench;
    const call = { target, path, intendedAt, before: before?.(actor) };
    bench.recorder.record(await measureCall({ series, actor }, call, signal));
  });
}
