/**
 * Calls to an actor that runs: through api and ingress, straight to its VM, and through two plain proxy hops. Once with
 * the guest, and once with a plain server in the guest's place in the VM's namespace, where the hops show unblurred.
 */
import type { DormouseClient } from '../../sdk/client.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { Bench } from '../bench.ts';
import type { TemplateName } from '../config.ts';
import { createAdditions, ways, type Additions, type Way } from '../hot/additions.ts';
import { plainServerHeader, startPlainServer, startTwoHops } from '../hot/programs.ts';
import { callFor } from '../load.ts';
import { phasesOfDone } from '../platform-actor.ts';
import { alternate, type Step } from '../rounds.ts';
import { vmOf } from '../vm-look.ts';
import { neverIdleMs } from './steps.ts';

/** The counters': answered without touching a file. */
const path = '/healthz';
const port = 8080;
/** Keeps two processors busy without queueing more than a moment's work. */
const atOnce = 16;
const resumeLimitMs = 60_000;
/** An engine compiles a program anew while it is being used; a platform that answers hot calls has this behind it. */
const warmUpMs = 8000;

export async function measureHotCalls(bench: Bench, template: TemplateName): Promise<void> {
  const platform = await bench.platform('file');
  const { client, home, url } = platform;
  await platform.template(template, { idleTimeoutMs: neverIdleMs });
  for (const server of ['guest', 'plain server'] as const) {
    const actor = await runningActor(client, template, bench.signal);
    const vm = await vmOf(home, actor, port, bench.signal);
    await using resources = new AsyncDisposableStack();
    if (server === 'plain server') {
      resources.use(await startPlainServer(vm, port));
      const answer = await client.actor(actor).fetch(path, { signal: bench.signal });
      if (!answer.headers.has(plainServerHeader))
        throw new DormouseError('internal', 'the guest answers, not the server');
    }
    const direct = `http://${vm.address}:${port}`;
    const hops = resources.use(await startTwoHops(direct));
    const label = `${template} hot call, ${server},`;
    const urls: Readonly<Record<Way, string>> = {
      direct: `${direct}${path}`,
      'two hops': `${hops.url}${path}`,
      platform: `${url}/v1/actors/${actor}/invoke${path}`,
    };
    bench.say(`${label} warming up`);
    for (const way of ways) await callFor(urls[way], bench.settings.quick ? 0 : warmUpMs, atOnce, bench.signal);
    const additions = createAdditions(bench.figures, label);
    const steps = ways.map((way) => loadStep(bench, label, way, urls[way], additions));
    await alternate(bench, `hot ${template}, ${server}`, steps);
    await client.actors.delete(actor, { waitMs: 60_000, signal: bench.signal });
  }
}

/** Not called yet: a connection that the node keeps to the guest would go on past the plain server. */
async function runningActor(client: DormouseClient, template: string, signal: AbortSignal): Promise<string> {
  const { id } = await client.actors.create({ template }, { signal });
  phasesOfDone(await client.actors.resume(id, { waitMs: resumeLimitMs, signal }));
  return id;
}

function loadStep({ figures, settings }: Bench, label: string, way: Way, url: string, additions: Additions): Step {
  const ms = settings.quick ? 200 : 1000;
  const name = `${label} ${way}`;
  return {
    name,
    async run(signal, round) {
      const single = await callFor(url, ms, 1, signal);
      figures.add(`${name} p50`, 'ms', single.p50Ms);
      figures.add(`${name} p99`, 'ms', single.p99Ms);
      const many = await callFor(url, ms, atOnce, signal);
      figures.add(`${name} throughput`, 'calls/s', many.callsPerSecond);
      additions.tell(way, round, single.p50Ms);
    },
  };
}
