/** Hot: calls to an actor that runs, in an open loop. */
import { openLoop } from '../load/open-loop.ts';
import { poissonCount } from '../load/schedule.ts';
import { measureCall } from '../sample.ts';
import type { Bench, Series } from './series.ts';
import { usedActor } from './sleeping-actor.ts';

export interface HotLoad {
  /** In each round. */
  readonly calls: number;
  readonly ratePerS: number;
}

export async function hotSeries(bench: Bench, load: HotLoad, signal: AbortSignal): Promise<Series> {
  const series = 'hot';
  const actor = await usedActor(bench, signal);
  return {
    name: series,
    expects: 'hot',
    async measure(running) {
      // Not counted: while other series had their turn the actor may have been put to sleep.
      await measureCall({ series, actor }, bench, running);
      await openLoop(poissonCount(load.ratePerS, load.calls, bench.random), running, async ({ intendedAt }) => {
        bench.recorder.record(await measureCall({ series, actor }, { ...bench, intendedAt }, running));
      });
    },
  };
}
