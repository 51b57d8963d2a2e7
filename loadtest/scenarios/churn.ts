/**
 * Churn: wake, call, suspend, over and over; at its end the platform at rest must hold what it held before. The first
 * cycles of each actor fill caches, pools and the kept generations: they come before the first look. Each actor's next
 * wake follows its last sleep (a closed loop), so as many wakes are under way as there are actors.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { LeakSources } from '../leak/sources.ts';
import { createMemoryLog, type MemoryLog } from '../leak/memory-log.ts';
import { compareCounts, type Counts } from '../leak/verdict.ts';
import { measureCall } from '../sample.ts';
import type { LeakReport } from '../result/result.ts';
import type { Bench, Scenario } from './series.ts';
import { orUnmade, putToSleep, sleepingActors } from './sleeping-actor.ts';

export interface Churn {
  readonly actors: number;
  readonly durationMs: number;
  readonly sources: LeakSources;
  /** The platform's home on this machine, for the memory of its processes. */
  readonly home: string | undefined;
}

/** One more than the generations that a template keeps by default, and one for what the first wake makes. */
const warmUpCycles = 5;
const lookEveryMs = 1000;
/** What a sleep leaves to be tidied up behind it (old generations, namespaces, a VM for the pool) takes a moment. */
const restLimitMs = 15_000;
const restLookEveryMs = 500;

const name = 'churn';

export async function churnScenario(bench: Bench, churn: Churn, signal: AbortSignal): Promise<Scenario> {
  const actors = await sleepingActors(bench, churn.actors, signal);
  let leaks: LeakReport | undefined;
  return {
    series: [
      { name, expects: 'warm', measure: async (running) => void (leaks = await run(bench, churn, actors, running)) },
    ],
    rounds: 1,
    warmUpRounds: 0,
    findings: () => (leaks === undefined ? {} : { leaks }),
  };
}

async function run(bench: Bench, churn: Churn, actors: readonly string[], signal: AbortSignal): Promise<LeakReport> {
  const { recorder, progress } = bench;
  progress.doing('churn: filling caches and kept generations');
  recorder.discard();
  await churnUntil(bench, actors, (cycle) => cycle >= warmUpCycles, signal);
  recorder.keep();
  const before = await atRest(churn.sources, () => false, signal);
  const memory = churn.home === undefined ? undefined : createMemoryLog(churn.home);
  const began = performance.now();
  progress.doing('churn');
  const over = (): boolean => performance.now() - began >= churn.durationMs;
  const [cycles] = await Promise.all([churnUntil(bench, actors, over, signal), followMemory(memory, over, signal)]);
  progress.doing('churn: coming to rest');
  const isAsBefore = (counts: Counts): boolean => compareCounts(before, counts).every(({ grew }) => !grew);
  const after = await atRest(churn.sources, isAsBefore, signal);
  await memory?.look();
  return {
    cycles,
    seconds: (performance.now() - began) / 1000,
    counts: compareCounts(before, after),
    memory: memory?.trends() ?? [],
    sources: [...churn.sources.names],
  };
}

/** Returns how many cycles there were. A failed cycle is a failed call, and the actor goes on. */
async function churnUntil(
  bench: Bench,
  actors: readonly string[],
  over: (cycle: number) => boolean,
  signal: AbortSignal,
): Promise<number> {
  let cycles = 0;
  const churnOne = async (actor: string): Promise<void> => {
    for (let cycle = 0; !over(cycle); cycle++) {
      bench.recorder.record(await measureCall({ series: name, actor }, bench, signal));
      await orUnmade(bench, name, actor, signal, () => putToSleep(bench, name, actor, signal));
      cycles++;
    }
  };
  await Promise.all(actors.map(churnOne));
  return cycles;
}

async function followMemory(memory: MemoryLog | undefined, over: () => boolean, signal: AbortSignal): Promise<void> {
  while (memory !== undefined && !over()) {
    await memory.look();
    await delay(lookEveryMs, undefined, { signal });
  }
}

/** Looks until the counts are as wished or stand still, and returns the last ones. */
async function atRest(
  sources: LeakSources,
  asWished: (counts: Counts) => boolean,
  signal: AbortSignal,
): Promise<Counts> {
  const deadline = performance.now() + restLimitMs;
  let counts = await sources.count(signal);
  for (let still = 0; !asWished(counts) && still < stillLooks && performance.now() < deadline;) {
    await delay(restLookEveryMs, undefined, { signal });
    const next = await sources.count(signal);
    still = JSON.stringify(next) === JSON.stringify(counts) ? still + 1 : 0;
    counts = next;
  }
  return counts;
}

/** Two seconds without a change. */
const stillLooks = 4;
