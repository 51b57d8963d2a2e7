/** Hot: calls to an actor that runs, a number of them at a time. */
import { measureCall, type Sample } from '../sample.ts';
import type { Bench, Series } from './series.ts';
import { usedActor } from './sleeping-actor.ts';

export interface HotLoad {
  /** In each round. */
  readonly calls: number;
  /** Calls in flight at any time. */
  readonly concurrency: number;
}

export async function hotSeries(bench: Bench, template: string, load: HotLoad, signal: AbortSignal): Promise<Series> {
  const name = 'hot';
  const actor = await usedActor(bench, template, signal);
  const target = { ...bench, actor };
  return {
    name,
    expects: 'hot',
    async measure(round, running) {
      const head = { series: name, round, actor };
      // Not counted: while other series had their turn the actor may have been put to sleep.
      await measureCall(head, target, running);
      const samples: Sample[] = [];
      let begun = 0;
      const caller = async (): Promise<void> => {
        while (begun++ < load.calls) samples.push(await measureCall(head, target, running));
      };
      await Promise.all(Array.from({ length: load.concurrency }, caller));
      return samples;
    },
  };
}
