/** Warm: one call to a suspended actor, on whichever node the platform chooses. */
import { burst } from '../load/schedule.ts';
import type { Bench, Series } from './series.ts';
import { measureWakes, usedActor } from './sleeping-actor.ts';

export async function warmSeries(bench: Bench, signal: AbortSignal): Promise<Series> {
  const series = 'warm';
  const actors = [await usedActor(bench, signal)];
  return {
    name: series,
    expects: 'warm',
    measure: (running) => measureWakes(bench, { series, actors, schedule: burst(1) }, running),
  };
}
