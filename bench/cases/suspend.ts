/** The suspend: on both stores beside the raw one, and how many bytes it ships for so much memory written. */
import type { Bench } from '../bench.ts';
import type { TemplateName } from '../config.ts';
import { removeActor, sleepingActor, timedWake } from '../platform-actor.ts';
import { alternate, type Step } from '../rounds.ts';
import { neverIdleMs, rawStep, recordSuspend, wakeStep } from './steps.ts';

export async function measureSuspends(bench: Bench, template: TemplateName): Promise<void> {
  const steps = [rawStep(bench, template, await bench.raw(template), 'pooled')];
  for (const store of ['file', 's3'] as const) {
    const platform = await bench.platform(store);
    await platform.template(template, { idleTimeoutMs: neverIdleMs });
    const actor = await sleepingActor(platform.client, template, bench.signal);
    const label = store === 'file' ? template : `${template} ${store}`;
    steps.push(wakeStep(bench, label, platform.client, actor));
  }
  await alternate(bench, `suspend ${template}`, steps);
}

/** Room for 64 MiB and for the heap that held the last one. */
const writerMemoryMiB = 512;
/** Each round takes a new actor for each size: a used one would still ship what it wrote before. */
const deltaRounds = 5;

export async function measureDeltas(bench: Bench, template: TemplateName): Promise<void> {
  if (template !== 'counter') return; // it alone can be told to write so much
  const platform = await bench.platform('file');
  const name = 'bench-writer';
  await platform.template(template, { name, memoryMiB: writerMemoryMiB, idleTimeoutMs: neverIdleMs });
  const sizes = bench.settings.quick ? [0, 1] : [0, 1, 16, 64];
  const steps = sizes.map((mebibytes): Step => ({
    name: `${mebibytes} MiB written`,
    async run(signal) {
      const { client } = platform;
      const { id } = await client.actors.create({ template: name }, { signal });
      await timedWake(client, id, signal);
      const path = mebibytes === 0 ? '/' : `/allocate?mib=${mebibytes}`;
      await (await client.actor(id).fetch(path, { signal })).arrayBuffer();
      await recordSuspend(bench, `${template} ${mebibytes} MiB written`, client, id, signal);
      if (mebibytes > 0)
        bench.figures.add(`${template} ${mebibytes} MiB of random bytes`, 'bytes', mebibytes * 2 ** 20);
      await removeActor(client, id, signal);
    },
  }));
  await alternate(bench, 'bytes by what was written', steps, Math.min(deltaRounds, bench.settings.rounds));
}
