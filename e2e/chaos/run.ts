/**
 * One run: a platform, clients that count, faults that strike by plan, an end without faults, and the checker's verdict
 * over all that was seen.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { openObjectStore } from '../../shared/object-store/open.ts';
import { until } from '../../shared/process/until.ts';
import { checkRun } from './check/check.ts';
import { tooQuiet } from './check/ending.ts';
import { runClient, type Clients } from './clients.ts';
import { readIntervals, readLog, readStore } from './collect.ts';
import type { Evidence, Strike, Violation } from './evidence.ts';
import { faults } from './faults/catalogue.ts';
import type { FaultName } from './faults/names.ts';
import { now, type HistoryEvent } from './history.ts';
import { planFaults } from './plan.ts';
import { seededRandom } from './random.ts';
import { endWorld, lookAtRun, putToSleep, settle } from './settle.ts';
import { watchVms, type VmWatch } from './vm-watch.ts';
import { startWorld, type World } from './world.ts';

export interface RunOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly actors: number;
  readonly clients: number;
  readonly nodes: number;
  readonly leaseMs: number;
  readonly faults: readonly [FaultName, ...FaultName[]];
  /** Keeps copies of the platform's logs here. */
  readonly logs?: string | undefined;
  /** Called with one line for people. */
  readonly say: (line: string) => void;
}

export interface RunResult {
  readonly evidence: Evidence;
  readonly violations: readonly Violation[];
}

/** How long after the last fault an actor may be in a transitional state: the longest job's limit, and the reaper's turn. */
const settleLimitMs = 160_000;
/** Some faults need a VM or an upload, and at times every actor sleeps, or is slow to do anything on a busy machine. */
const targetLimitMs = 20_000;
const targetPollMs = 100;
const enoughLimitMs = 60_000;
/** Short, so that actors fall asleep by themselves too. */
const idleTimeoutMs = 1500;
const wakeTimeoutMs = 15_000;

export async function runChaos(options: RunOptions): Promise<RunResult> {
  const surroundings = await lookAtRun();
  await using world = await startWorld(options);
  const { platform } = world;
  // Every generation is kept, so that the checker can see them all.
  await platform.template('counter', { idleTimeoutMs, wakeTimeoutMs, retainGenerations: 100 });
  const history: HistoryEvent[] = [];
  const actors = names(options.actors);
  const clients: Clients = { client: platform.client, actors, nodes: nodesOf(world), history, moving: new Set() };
  for (const id of clients.actors) await platform.client.actors.create({ id, template: 'counter' });
  await using watch = watchVms(platform.home);
  options.say(`${options.actors} actors, ${options.clients} clients, ${options.faults.join(' ')}`);
  const expected = {
    ...{ settleLimitMs, minAnsweredPerActor: 5, minEpochsPerActor: 2, minMovesPerActor: 0.5, faults: options.faults },
    minHits: Math.floor(options.durationMs / 10_000),
  };
  const strikes = await disturb(world, clients, options, () => tooQuiet(clients, expected).length === 0);
  options.say(`${history.length} events, ${strikes.length} faults; settling`);
  const finals = await settle(clients, settleLimitMs);
  const awake = await putToSleep(clients, world);
  const collected = await collect(world, clients, watch);
  const leftovers = [...awake, ...(await endWorld(world, surroundings))];
  const evidence = { actors: clients.actors, history, strikes, finals, leftovers, ...collected };
  return { evidence, violations: checkRun(evidence, expected) };
}

async function disturb(
  world: World,
  clients: Clients,
  options: RunOptions,
  isEnough: () => boolean,
): Promise<Strike[]> {
  const stop = new AbortController();
  const running = Array.from({ length: options.clients }, (_, index) =>
    runClient(clients, options.seed * 1000 + index, stop.signal),
  );
  try {
    const strikes = await strikeAll(world, options);
    // On a busy machine little may have been answered so far; what is answered from now on is checked as well.
    const signal = AbortSignal.timeout(enoughLimitMs);
    await until(isEnough, { signal, everyMs: 100, what: 'enough answers' }).catch(() => undefined);
    return strikes;
  } finally {
    stop.abort();
    await Promise.all(running);
  }
}

async function strikeAll(world: World, options: RunOptions): Promise<Strike[]> {
  const begunAt = now();
  const underWay: Promise<Strike>[] = [];
  for (const { fault, atMs, seed } of planFaults(options)) {
    await delay(Math.max(0, begunAt + atMs - now()));
    const strike = strikeOnce(world, options, fault, seed);
    strike.catch(() => undefined); // told below, when all of them have ended
    underWay.push(strike);
  }
  await delay(Math.max(0, begunAt + options.durationMs - now()));
  return Promise.all(underWay);
}

async function strikeOnce(world: World, options: RunOptions, fault: FaultName, seed: number): Promise<Strike> {
  const from = now();
  const context = { world, random: seededRandom(seed), leaseMs: options.leaseMs };
  let target = await faults[fault].strike(context);
  while (target === undefined && now() - from < targetLimitMs) {
    await delay(targetPollMs);
    target = await faults[fault].strike(context);
  }
  options.say(`${new Date(from).toISOString()} ${fault}: ${target ?? 'nothing to hit'}`);
  return { fault, target: target ?? '', from, to: now(), hit: target !== undefined };
}

async function collect(world: World, clients: Clients, watch: VmWatch) {
  await using store = await openStore(world.store.url);
  const logs = new Map<string, Awaited<ReturnType<typeof readLog>>>();
  for (const actor of clients.actors) logs.set(actor, await readLog(store.store, actor));
  const folder = `${world.platform.home}/logs`;
  const intervals = await Promise.all(
    clients.nodes.map((node) => readIntervals(folder, node, world.deaths, watch.sightings)),
  );
  return { logs, intervals: intervals.flat(), store: await readStore(store.store, `${world.folder}/scratch`) };
}

async function openStore(url: string) {
  const store = await openObjectStore(url);
  return { store, [Symbol.asyncDispose]: () => store.close() };
}

function names(count: number): [string, ...string[]] {
  return ['actor-1', ...Array.from({ length: count - 1 }, (_, index) => `actor-${index + 2}`)];
}

function nodesOf({ platform }: World): [string, ...string[]] {
  const [first = 'node-1', ...others] = platform.stack.nodes;
  return [first, ...others];
}
