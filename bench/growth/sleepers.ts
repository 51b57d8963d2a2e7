/**
 * Really suspended actors in a store: the bytes each takes, and the wake of a random one of many against that of one of few.
 * One actor is suspended by the platform, by a real VM with `--vms yes`; the others are copies of it (fork-sleepers.ts).
 */
import { randomInt } from 'node:crypto';
import { openObjectStore } from '../../shared/object-store/open.ts';
import { percentile } from '../../loadtest/percentile.ts';
import { startPlatform, type Platform } from '../../e2e/platform.ts';
import { createCaller, type Caller } from './actor-lanes.ts';
import { forkSleepers } from './fork-sleepers.ts';
import type { Run } from './run.ts';
import { startSimulatedPlatform, type Size } from './simulated-platform.ts';

export interface SleepersSettings extends Size {
  readonly actors: number;
  /** Woken of few, and of many. */
  readonly rounds: number;
  readonly vms: boolean;
}

export interface SleepersResult {
  readonly actors: number;
  readonly storeBytesPerActor: number;
  readonly rebuildSeconds: number;
  /** Medians in milliseconds. */
  readonly wakeOfFewMs: number;
  readonly wakeOfManyMs: number;
  readonly ratio: number;
}

const rebuildLimitMs = 600_000;

export async function measureSleepers(settings: SleepersSettings, run: Run): Promise<SleepersResult> {
  await using resources = new AsyncDisposableStack();
  const { platform, template } = await start(settings, resources);
  const caller = resources.use(createCaller([platform.url]));
  const store = await openObjectStore(platform.stack.config.storeUrl);
  resources.defer(() => store.close());
  await caller.create('origin-0', template);
  await caller.wake('origin-0');
  await caller.suspend('origin-0');
  const idsOf = (prefix: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  const few = idsOf('few', settings.rounds);
  await forkSleepers(store, 'origin-0', few);
  await rebuild(platform);
  const wakeOfFewMs = await medianWake(caller, few, run);
  run.say(`writing ${settings.actors} sleeping actors`);
  const many = idsOf('many', settings.actors);
  const storeBytesPerActor = await forkSleepers(store, 'origin-0', many);
  const began = performance.now();
  await rebuild(platform);
  const rebuildSeconds = Math.round(performance.now() - began) / 1000;
  const chosen = Array.from({ length: settings.rounds }, () => many.splice(randomInt(many.length), 1)).flat();
  const wakeOfManyMs = await medianWake(caller, chosen, run);
  const ratio = Math.round((100 * wakeOfManyMs) / wakeOfFewMs) / 100;
  return { actors: settings.actors, storeBytesPerActor, rebuildSeconds, wakeOfFewMs, wakeOfManyMs, ratio };
}

async function start(
  settings: SleepersSettings,
  resources: AsyncDisposableStack,
): Promise<{ platform: Platform; template: string }> {
  if (settings.vms) {
    const platform = resources.use(await startPlatform());
    await platform.template('counter');
    return { platform, template: 'counter' };
  }
  const simulated = resources.use(await startSimulatedPlatform(settings));
  await simulated.template('growth');
  return { platform: simulated.platform, template: 'growth' };
}

async function rebuild({ client }: Platform): Promise<void> {
  const { id } = await client.admin.rebuild();
  await client.operations.wait(id, { timeoutMs: rebuildLimitMs });
}

/** One after the other, each put to sleep again: every wake meets a platform that does nothing else. */
async function medianWake(caller: Caller, ids: readonly string[], { signal }: Run): Promise<number> {
  const samples: number[] = [];
  for (const id of ids) {
    signal.throwIfAborted();
    samples.push((await caller.wake(id)).answeredMs);
    await caller.suspend(id);
  }
  return Math.round(10 * (percentile(samples, 50) ?? NaN)) / 10;
}
