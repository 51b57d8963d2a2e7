/** Cold: a new actor whose first start boots a VM; the first call waits for all of it. */
import { measureCall } from '../sample.ts';
import type { Bench, Series } from './series.ts';
import { orUnmade } from './sleeping-actor.ts';

export function coldSeries(bench: Bench, name = 'cold', template?: string): Series {
  return {
    name,
    expects: 'cold',
    measure: (signal) =>
      orUnmade(bench, name, '', signal, async () => {
        const options = { coldStart: true, ...(template === undefined ? {} : { template }) };
        const actor = await bench.target.create(options, signal);
        bench.recorder.record(await measureCall({ series: name, actor }, bench, signal));
        // What cannot be removed now is tried again at the end of the run, which reports it.
        await bench.target.remove(actor).catch(() => signal.throwIfAborted());
      }),
  };
}
