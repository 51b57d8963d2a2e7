/**
 * Waking a sleeping actor, and putting it to sleep again: the raw harness and the platform, the same node and the other.
 * Each step wakes and suspends its own actor, so the next round finds it asleep.
 */
import { otherNode } from '../../e2e/counter-calls.ts';
import type { DormouseClient } from '../../sdk/client.ts';
import type { Bench } from '../bench.ts';
import type { TemplateName } from '../config.ts';
import { sleepingActor, timedWake } from '../platform-actor.ts';
import { alternate, type Step } from '../rounds.ts';
import { neverIdleMs, rawStep, recordSuspend, wakeStep } from './steps.ts';

export async function measureWakes(bench: Bench, template: TemplateName): Promise<void> {
  const platform = await bench.platform('file');
  const { client } = platform;
  // Both boot a VM, on a processor each.
  const [raw] = await Promise.all([bench.raw(template), platform.template(template, { idleTimeoutMs: neverIdleMs })]);
  const sleeper = (): Promise<string> => sleepingActor(client, template, bench.signal);
  const [plain, same, other] = [await sleeper(), await sleeper(), await sleeper()];
  await bothNodesHave(client, other, bench.signal);
  await alternate(bench, `wake ${template}`, [
    rawStep(bench, template, raw, 'pooled'),
    wakeStep(bench, template, client, plain),
    rawStep(bench, template, raw, 'started'),
    nodeStep(bench, template, client, same, 'same'),
    nodeStep(bench, template, client, other, 'other'),
  ]);
}

/** The first wake on a node fetches the golden, which is measured elsewhere. */
async function bothNodesHave(client: DormouseClient, actor: string, signal: AbortSignal): Promise<void> {
  for (const node of ['node-1', 'node-2']) {
    await timedWake(client, actor, signal, () => client.actors.resume(actor, { node, signal }));
    await client.actors.suspend(actor, { waitMs: 60_000, signal });
  }
}

/** Ordered onto a node and called at once: the call joins the wake under way. */
function nodeStep(
  bench: Bench,
  template: string,
  client: DormouseClient,
  actor: string,
  which: 'same' | 'other',
): Step {
  return {
    name: `wake on the ${which} node`,
    async run(signal) {
      const { lastNode = 'node-1' } = await client.actors.get(actor, { signal });
      const node = which === 'same' ? lastNode : otherNode(lastNode);
      const wake = await timedWake(client, actor, signal, () => client.actors.resume(actor, { node, signal }));
      bench.figures.add(`${template} wake ${which} node first answer`, 'ms', wake.firstAnswerMs, wake.phases);
      await recordSuspend(bench, template, client, actor, signal);
    },
  };
}
