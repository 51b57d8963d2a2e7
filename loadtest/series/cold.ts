/** Cold: a new actor whose first start boots a VM; the first call waits for all of it. */
import { measureCall, unmade } from '../sample.ts';
import type { Bench, Series } from './series.ts';

export function coldSeries(bench: Bench, template: string, name = 'cold'): Series {
  return {
    name,
    expects: 'cold',
    async measure(round, signal) {
      const head = { series: name, round, actor: '' };
      try {
        const actor = await bench.made.actor(template, { coldStart: true }, signal);
        const sample = await measureCall({ ...head, actor }, { ...bench, actor }, signal);
        // What cannot be removed now is tried again at the end of the run, which reports it.
        await bench.made.remove(actor).catch(() => signal.throwIfAborted());
        return [sample];
      } catch (error) {
        signal.throwIfAborted();
        return [unmade(head, error)];
      }
    },
  };
}
