/** What an actor that is called all the time notices while a large one on its node is put to sleep. */
import { Pool } from 'undici';
import type { Bench } from '../bench.ts';
import type { TemplateName } from '../config.ts';
import { spread } from '../load.ts';
import { removeActor, timedSuspend, timedWake } from '../platform-actor.ts';
import { alternate } from '../rounds.ts';
import { neverIdleMs } from './steps.ts';

/** Each writes most of a large guest's memory under emulation. */
const stallRounds = 3;
/** Of the large guest's memory: the rest is its kernel's and its heap's. */
const writtenShare = 0.6;
const quickLargeMiB = 256;
const quietMs = 2000;
const node = 'node-1';

export async function measureStall(bench: Bench, template: TemplateName): Promise<void> {
  if (template !== 'counter') return; // it alone can be told to write so much
  const { figures, settings, signal } = bench;
  const { client, url, ...platform } = await bench.platform('file');
  const memoryMiB = settings.quick ? quickLargeMiB : settings.largeMiB;
  await platform.template(template, { idleTimeoutMs: neverIdleMs });
  await platform.template(template, { name: 'bench-large', memoryMiB, idleTimeoutMs: neverIdleMs });
  const hot = await client.actors.create({ template }, { signal });
  await timedWake(client, hot.id, signal, () => client.actors.resume(hot.id, { node, signal }));
  const run = async (signal: AbortSignal): Promise<void> => {
    const large = await client.actors.create({ template: 'bench-large' }, { signal });
    await timedWake(client, large.id, signal, () => client.actors.resume(large.id, { node, signal }));
    const path = `/allocate?mib=${Math.floor(memoryMiB * writtenShare)}`;
    await (await client.actor(large.id).fetch(path, { signal })).arrayBuffer();
    const target = `${url}/v1/actors/${hot.id}/invoke/healthz`;
    const quiet = await callWhile(target, AbortSignal.timeout(quietMs), signal);
    const over = new AbortController();
    const suspending = timedSuspend(client, large.id, signal).finally(() => over.abort());
    const [during, { durableMs, phases }] = await Promise.all([callWhile(target, over.signal, signal), suspending]);
    figures.add(`${template} hot p99, quiet`, 'ms', spread(quiet).p99Ms);
    figures.add(`${template} hot p99, a large actor suspends`, 'ms', spread(during).p99Ms);
    figures.add(`${template} hot longest, a large actor suspends`, 'ms', Math.max(...during));
    figures.add(`${template} large suspend durable`, 'ms', durableMs, phases);
    await removeActor(client, large.id, signal);
  };
  const rounds = Math.min(stallRounds, settings.rounds);
  await alternate(bench, `suspend of ${memoryMiB} MiB beside a hot actor`, [{ name: 'stall', run }], rounds);
  await removeActor(client, hot.id, signal);
}

/** One call after the other until `over`; returns what each took. At least one, however short that was. */
async function callWhile(url: string, over: AbortSignal, signal: AbortSignal): Promise<number[]> {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: 1 });
  const latencies: number[] = [];
  try {
    do {
      const sentAt = performance.now();
      const { body } = await pool.request({ path: pathname, method: 'GET', signal });
      await body.dump();
      latencies.push(performance.now() - sentAt);
    } while (!over.aborted);
  } finally {
    await pool.destroy();
  }
  return latencies;
}
