/**
 * Warm on the other node: the actor is told to wake on a node it did not run on last, and called at once; the time of
 * both counts. The call joins the wake under way, so its answer says `warm`.
 */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { readyNodes } from '../ready-nodes.ts';
import type { Sample } from '../sample.ts';
import type { Bench, Series } from './series.ts';
import { measureWake, usedActor } from './sleeping-actor.ts';

/** Undefined when there is no second node to move to. */
export async function warmOtherNodeSeries(
  bench: Bench,
  template: string,
  signal: AbortSignal,
): Promise<Series | undefined> {
  if ((await readyNodes(bench.client, signal)).length < 2) return undefined;
  const name = 'warm, other node';
  const actor = await usedActor(bench, template, signal);
  // Remembered, because a sleeping actor is on no node.
  let last = await nodeOf(bench, actor, signal);
  return {
    name,
    expects: 'warm',
    async measure(round, running) {
      let wanted = '';
      const sample = await measureWake(bench, { series: name, round, actor }, running, async () => {
        const node = (wanted = await otherNode(bench, last, running));
        return (limited) => bench.client.actors.resume(actor, { node, signal: limited });
      });
      if (!sample.ok) return [sample];
      last = await nodeOf(bench, actor, running);
      return [last === wanted ? sample : movedElsewhere(sample, wanted, last)];
    },
  };
}

/** A wake that ended up elsewhere is no measurement of a move. */
function movedElsewhere(sample: Sample, wanted: string, node: string | undefined): Sample {
  const message = `asked for ${wanted}, it runs on ${node ?? 'no node'}`;
  return { ...sample, ok: false, error: { code: 'wrong-node', message } };
}

const nodeOf = async (bench: Bench, actor: string, signal: AbortSignal): Promise<string | undefined> =>
  (await bench.client.actors.get(actor, { signal })).node;

async function otherNode(bench: Bench, last: string | undefined, signal: AbortSignal): Promise<string> {
  const other = (await readyNodes(bench.client, signal)).find((id) => id !== last);
  if (other === undefined) throw new DormouseError('no-capacity', 'the second node is gone: nowhere to move to');
  return other;
}
