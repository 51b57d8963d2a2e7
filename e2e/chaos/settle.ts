/**
 * The end of a run, when no fault strikes any more: every actor must become stable by itself, answer one more call, and go
 * to sleep; then no virtual machine may be left, and once the platform has stopped, nothing at all.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { findLeftovers } from '../../infra/test/leftovers.ts';
import { lookAround, type Surroundings } from '../../infra/test/surroundings.ts';
import { until } from '../../shared/process/until.ts';
import { isOurs } from '../platform.ts';
import { isInWaiting } from '../vm-states.ts';
import { count, wordsOf, type Clients } from './clients.ts';
import type { FinalActor } from './evidence.ts';
import { processesBelow } from './faults/processes.ts';
import { now } from './history.ts';
import { folderOf, ownOwner, tableOf } from './owner.ts';
import type { World } from './world.ts';

const stable: ReadonlySet<string> = new Set(['suspended', 'running', 'paused', 'failed']);
const pollMs = 200;
/** Answering takes a wake, and a suspend an upload, on a busy machine. */
const lastCallAttempts = 5;
const sleepLimitMs = 60_000;
/** A VM ends right after its actor is `suspended`. */
const vmEndLimitMs = 10_000;

export async function settle(clients: Clients, limitMs: number): Promise<FinalActor[]> {
  const begunAt = now();
  return Promise.all(clients.actors.map((actor) => settleOne(clients, actor, begunAt, limitMs)));
}

async function settleOne(clients: Clients, actor: string, begunAt: number, limitMs: number): Promise<FinalActor> {
  let state = 'unknown';
  let settledAfterMs: number | undefined;
  while (now() - begunAt < limitMs) {
    const seen = await clients.client.actors.get(actor, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
    state = seen?.state ?? state;
    if (seen !== undefined && stable.has(state)) {
      settledAfterMs = now() - begunAt;
      break;
    }
    await delay(pollMs);
  }
  const silent = await lastCall(clients, actor);
  return { actor, state, settledAfterMs, ...(silent !== undefined && { silent }) };
}

/** Undefined once it is answered. */
async function lastCall(clients: Clients, actor: string): Promise<string | undefined> {
  let words = '';
  for (let attempt = 0; attempt < lastCallAttempts; attempt++) {
    const call = await count(clients, actor);
    clients.history.push(call);
    if (call.kind === 'call' && call.outcome === 'ok') return undefined;
    words = 'why' in call ? (call.why ?? '') : '';
    await delay(pollMs);
  }
  return words;
}

/** Puts every actor to sleep. What cannot be put to sleep, and every VM that is there then, is a leftover. */
export async function putToSleep({ client, actors }: Clients, world: World): Promise<string[]> {
  const awake = await Promise.all(
    actors.map(async (actor) => {
      try {
        await client.actors.suspend(actor, { waitMs: sleepLimitMs, signal: AbortSignal.timeout(sleepLimitMs) });
        await client.actors.wait(actor, 'suspended', { timeoutMs: sleepLimitMs });
        return [];
      } catch (error) {
        return [`${actor} could not be put to sleep: ${wordsOf(error)}`];
      }
    }),
  );
  return [...awake.flat(), ...(await remainingVms(world.platform.home))];
}

async function remainingVms(home: string): Promise<string[]> {
  const vms = async () =>
    (await processesBelow(home)).filter(({ name }) => /qemu-system|virtiofsd/.test(name) && !isInWaiting(name));
  const signal = AbortSignal.timeout(vmEndLimitMs);
  await until(async () => (await vms()).length === 0, { signal, everyMs: pollMs, what: 'the last VM to end' }).catch(
    () => undefined,
  );
  return (await vms()).map(({ name, pid }) => `process ${pid} of an actor that sleeps: ${name.slice(0, 160)}`);
}

/** What bears this run's names, now. */
export const lookAtRun = (): Promise<Surroundings> => lookAround(folderOf(ownOwner()));

/** Stops the platform and everything around it, and looks for what is there then and was not before the run. */
export async function endWorld(world: World, before: Surroundings): Promise<string[]> {
  const { home, stack } = world.platform;
  const failed = await world[Symbol.asyncDispose]().then(
    () => [],
    (error: unknown) => [`the platform did not end well: ${wordsOf(error)}`],
  );
  const left = await findLeftovers(world.folder, before);
  const ours = left.filter((item) => isOurs(item, home, stack.nodes) || item.what.endsWith(tableOf(ownOwner())));
  return [...failed, ...ours.map(({ kind, what }) => `${kind} ${what}`)];
}
