/** Many sleeping actors woken together: all at once (burst), or one after the other at a fixed gap (staggered). */
import { burst, staggered } from '../load/schedule.ts';
import type { Bench, Scenario } from './series.ts';
import { measureWakes, sleepingActors } from './sleeping-actor.ts';

export interface Crowd {
  readonly name: 'burst' | 'staggered';
  readonly actors: number;
  readonly gapMs: number;
  readonly rounds: number;
  readonly warmUpRounds: number;
}

export async function crowdScenario(bench: Bench, crowd: Crowd, signal: AbortSignal): Promise<Scenario> {
  const actors = await sleepingActors(bench, crowd.actors, signal);
  const series = crowd.name === 'burst' ? `burst of ${crowd.actors}` : `staggered, one each ${crowd.gapMs} ms`;
  const schedule = crowd.name === 'burst' ? burst(actors.length) : staggered(actors.length, crowd.gapMs);
  const measure = (running: AbortSignal): Promise<void> => measureWakes(bench, { series, actors, schedule }, running);
  const { rounds, warmUpRounds } = crowd;
  return { series: [{ name: series, expects: 'warm', measure }], rounds, warmUpRounds };
}
