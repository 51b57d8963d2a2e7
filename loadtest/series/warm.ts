/** Warm: a call to a suspended actor, on whichever node the platform chooses. */
import type { Bench, Series } from './series.ts';
import { measureWake, usedActor } from './sleeping-actor.ts';

export async function warmSeries(bench: Bench, template: string, signal: AbortSignal): Promise<Series> {
  const name = 'warm';
  const actor = await usedActor(bench, template, signal);
  return {
    name,
    expects: 'warm',
    measure: async (round, running) => [await measureWake(bench, { series: name, round, actor }, running)],
  };
}
