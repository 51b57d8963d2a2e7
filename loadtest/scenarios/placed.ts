/**
 * Wakes on a node of our choice: the actor is told to wake there and called at once; the time of both counts. The call
 * joins the wake under way, so its answer says `warm`. A wake that ended up elsewhere is no measurement.
 */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { burst } from '../load/schedule.ts';
import type { Placement } from '../target/target.ts';
import type { Bench, Series } from './series.ts';
import { measureWakes, sleepingActors, usedActor } from './sleeping-actor.ts';

/** The same node as last time, or another one. `undefined` when there is no second node to move to. */
export async function moveSeries(
  bench: Bench,
  to: 'same node' | 'other node',
  signal: AbortSignal,
): Promise<Series | undefined> {
  const placement = placementOf(bench);
  if (to === 'other node' && (await placement.readyNodes(signal)).length < 2) return undefined;
  const name = `warm, ${to}`;
  const actor = await usedActor(bench, signal);
  // Remembered, because a sleeping actor is on no node.
  let last = await placement.nodeOf(actor, signal);
  return {
    name,
    expects: 'warm',
    async measure(running) {
      const ready = await placement.readyNodes(running);
      const node = ready.find((id) => (id === last) === (to === 'same node'));
      if (node === undefined) throw new DormouseError('no-capacity', `${name}: no such node is ready`);
      const before = () => (limited: AbortSignal) => placement.wakeOn(actor, node, limited);
      await measureWakes(bench, { series: name, actors: [actor], schedule: burst(1), before }, running);
      last = (await placement.nodeOf(actor, running)) ?? last;
    },
  };
}

/** As many wakes at once as `width`, all of them on one node. */
export async function parallelSeries(
  bench: Bench,
  widths: readonly number[],
  signal: AbortSignal,
): Promise<readonly Series[]> {
  const placement = placementOf(bench);
  const actors = await sleepingActors(bench, Math.max(...widths), signal);
  const [node] = (await placement.readyNodes(signal)).toSorted();
  if (node === undefined) throw new DormouseError('no-capacity', 'no node is ready');
  const before = (actor: string) => (limited: AbortSignal) => placement.wakeOn(actor, node, limited);
  return widths.map((width) => {
    const series = `${width} at once`;
    const plan = { series, actors: actors.slice(0, width), schedule: burst(width), before };
    return { name: series, expects: 'warm', measure: (running) => measureWakes(bench, plan, running) };
  });
}

function placementOf({ target }: Bench): Placement {
  if (target.placement !== undefined) return target.placement;
  throw new DormouseError('invalid-input', 'this scenario chooses nodes: it works with Dormouse only');
}
