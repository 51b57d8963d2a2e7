/**
 * Starts that are the first of their kind: of a template (a VM boots, or a zygote is restored), of an actor of a ready
 * template, and of a template on a node that has nothing of it but its image.
 */
import type { Platform } from '../../e2e/platform.ts';
import type { Bench } from '../bench.ts';
import type { TemplateName } from '../config.ts';
import { removeActor, sleepingActor, timedSuspend, timedWake } from '../platform-actor.ts';
import { alternate, type Step } from '../rounds.ts';
import { neverIdleMs, wakeStep } from './steps.ts';

/** What the bundled templates are asked before their golden is captured: the program answers it for the first time in no actor. */
const probePath = '/healthz';
/** Each takes the preparation of a template, which boots a VM. */
const bareNodeRounds = 3;

export async function measureFirstStarts(bench: Bench, template: TemplateName): Promise<void> {
  const platform = await bench.platform('file');
  const raw = await bench.raw(template);
  await platform.template(template, { idleTimeoutMs: neverIdleMs });
  const sleeper = await sleepingActor(platform.client, template, bench.signal);
  const prober = await sleepingActor(platform.client, template, bench.signal);
  await alternate(bench, `first start of ${template}`, [
    {
      name: 'raw boot',
      async run(signal) {
        const boot = await raw.boot(signal);
        bench.figures.add(`${template} raw boot first answer`, 'ms', boot.firstAnswerMs, boot.phases);
      },
    },
    newActorStep(bench, template, platform, 'cold start', { coldStart: true }),
    newActorStep(bench, template, platform, 'new actor', {}),
    wakeStep(bench, template, platform.client, sleeper),
    newActorStep(bench, template, platform, 'new actor probe', {}, probePath),
    {
      name: 'wake probe',
      async run(signal) {
        const wake = await timedWake(platform.client, prober, signal, undefined, probePath);
        bench.figures.add(`${template} wake probe first answer`, 'ms', wake.firstAnswerMs, wake.phases);
        await timedSuspend(platform.client, prober, signal);
      },
    },
  ]);
  const rounds = Math.min(bareNodeRounds, bench.settings.rounds);
  await alternate(bench, `bare node, ${template}`, [bareNodeStep(bench, template, platform)], rounds);
}

function newActorStep(
  { figures }: Bench,
  template: string,
  { client }: Platform,
  what: string,
  options: { readonly coldStart?: true },
  path?: string,
): Step {
  return {
    name: what,
    async run(signal) {
      const { id } = await client.actors.create({ template, ...options }, { signal });
      const wake = await timedWake(client, id, signal, undefined, path);
      figures.add(`${template} ${what} first answer`, 'ms', wake.firstAnswerMs, wake.phases);
      await removeActor(client, id, signal);
    },
  };
}

/** One of the two nodes may keep the golden that it has just prepared; the slower wake is that of the bare one. */
function bareNodeStep({ figures }: Bench, template: TemplateName, platform: Platform): Step {
  const { client } = platform;
  return {
    name: 'bare node',
    async run(signal, round) {
      const name = `bench-${template}-${round}`;
      await platform.template(template, { name, idleTimeoutMs: neverIdleMs });
      const wakes = [];
      for (const node of ['node-1', 'node-2']) {
        const { id } = await client.actors.create({ template: name }, { signal });
        wakes.push(await timedWake(client, id, signal, () => client.actors.resume(id, { node, signal })));
        await removeActor(client, id, signal);
      }
      const slower = wakes.reduce((a, b) => (a.firstAnswerMs > b.firstAnswerMs ? a : b));
      figures.add(`${template} bare node first answer`, 'ms', slower.firstAnswerMs, slower.phases);
      await client.templates.delete(name, { signal });
    },
  };
}
