/** Several actors woken at the same moment: when the first answers come, and when all of them have. */
import type { Bench } from '../bench.ts';
import type { TemplateName } from '../config.ts';
import { median } from '../../loadtest/percentile.ts';
import { sleepingActor, timedSuspend, timedWake } from '../platform-actor.ts';
import { alternate, type Step } from '../rounds.ts';
import { neverIdleMs } from './steps.ts';

const counts = [1, 2, 4, 8] as const;
const quickCounts = [1, 2] as const;
const concurrencyRounds = 5;

export async function measureConcurrency(bench: Bench, template: TemplateName): Promise<void> {
  const { figures, settings, signal } = bench;
  const { client, ...platform } = await bench.platform('file');
  await platform.template(template, { idleTimeoutMs: neverIdleMs });
  const wanted = settings.quick ? quickCounts : counts;
  const actors: string[] = [];
  for (let made = 0; made < Math.max(...wanted); made++) actors.push(await sleepingActor(client, template, signal));
  const steps = wanted.map((count): Step => ({
    name: `${count} at once`,
    async run(limit) {
      const chosen = actors.slice(0, count);
      const began = performance.now();
      const wakes = await Promise.all(chosen.map((actor) => timedWake(client, actor, limit)));
      figures.add(`${template} ${count} at once, all`, 'ms', performance.now() - began);
      figures.add(`${template} ${count} at once, each`, 'ms', median(wakes.map((wake) => wake.firstAnswerMs)) ?? 0);
      await Promise.all(chosen.map((actor) => timedSuspend(client, actor, limit)));
    },
  }));
  await alternate(bench, `wakes at once, ${template}`, steps, Math.min(concurrencyRounds, settings.rounds));
}
