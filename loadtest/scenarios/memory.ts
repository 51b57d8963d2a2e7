/**
 * Memory: actors that dirty a number of mebibytes between two sleeps. Shows what a suspend ships and how long the next
 * wake takes for it. The actor must answer a path that dirties memory with bytes that do not compress.
 */
import { burst } from '../load/schedule.ts';
import type { Bench, Series } from './series.ts';
import { measureWakes, orUnmade, usedActor } from './sleeping-actor.ts';

/** `{mib}` in the path stands for the number; the bundled counter answers `/allocate?mib={mib}`. */
export async function memorySeries(
  bench: Bench,
  sizesMiB: readonly number[],
  dirtyPath: string,
  signal: AbortSignal,
): Promise<readonly Series[]> {
  const series: Series[] = [];
  for (const mib of sizesMiB) {
    const name = `${mib} MiB dirtied`;
    const actor = await usedActor(bench, signal);
    const path = dirtyPath.replaceAll('{mib}', String(mib));
    const measure = (running: AbortSignal): Promise<void> =>
      orUnmade(bench, name, actor, running, async () => {
        const { status } = await bench.target.call(actor, path, running);
        if (status >= 400) throw new Error(`${path} answered ${status}: no memory was dirtied`);
        await measureWakes(bench, { series: name, actors: [actor], schedule: burst(1) }, running);
      });
    series.push({ name, expects: 'warm', measure });
  }
  return series;
}
