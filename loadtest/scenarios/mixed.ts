/**
 * Mixed: an open loop over many actors, some popular and most of them rarely called (Zipf), while whoever is idle falls
 * asleep. Hot and warm calls come in the proportion that the popularity makes; the report splits them by their start.
 */
import { openLoop } from '../load/open-loop.ts';
import { poisson } from '../load/schedule.ts';
import { zipf } from '../load/zipf.ts';
import { measureCall } from '../sample.ts';
import { createIdleSweep } from './idle-sweep.ts';
import type { Bench, Scenario } from './series.ts';
import { sleepingActors } from './sleeping-actor.ts';

export interface Mix {
  readonly actors: number;
  readonly exponent: number;
  readonly ratePerS: number;
  readonly idleMs: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
}

export async function mixedScenario(bench: Bench, mix: Mix, signal: AbortSignal): Promise<Scenario> {
  const actors = await sleepingActors(bench, mix.actors, signal);
  const measure = (running: AbortSignal): Promise<void> => measureMix(bench, mix, actors, running);
  return { series: [{ name: 'mixed', measure }], rounds: 1, warmUpRounds: 0 };
}

async function measureMix(bench: Bench, mix: Mix, actors: readonly string[], signal: AbortSignal): Promise<void> {
  const draw = zipf(actors.length, mix.exponent, bench.random);
  const idle = createIdleSweep(bench, 'mixed', mix.idleMs);
  const over = new AbortController();
  const sweeping = idle.run(over.signal, signal);
  const schedule = poisson(mix.ratePerS, mix.warmUpMs + mix.durationMs, bench.random);
  try {
    await openLoop(schedule, signal, async ({ intendedAt, offsetMs }) => {
      const actor = actors[draw()] ?? '';
      idle.began(actor);
      const sample = await measureCall({ series: 'mixed', actor }, { ...bench, intendedAt }, signal);
      idle.ended(actor);
      bench.recorder.record(sample, offsetMs < mix.warmUpMs);
    });
  } finally {
    over.abort();
    await sweeping;
  }
}
