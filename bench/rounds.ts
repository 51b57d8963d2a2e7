/**
 * Rounds in alternating order: each step once a round, another one first each time, so that no one profits from its
 * place. Before each step the machine comes to rest: what a pool or a store still does after one step would be measured
 * in the next. A step that fails is reported and the others go on.
 */
import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { toDormouseError } from '../shared/errors/dormouse-error.ts';
import type { Bench } from './bench.ts';
import { roundOrder } from '../loadtest/scenarios/series.ts';

export interface Step {
  readonly name: string;
  /** `signal` ends with the run, and when the step takes longer than any step may. */
  run(signal: AbortSignal, round: number): Promise<void>;
}

/** Longer than the api lets any job of an actor take, and a large actor is filled before that. */
const stepLimitMs = 240_000;

export async function alternate(bench: Bench, title: string, steps: readonly Step[], rounds = bench.settings.rounds) {
  for (let round = 0; round < rounds; round++) {
    for (const step of roundOrder(steps, round)) {
      await quiet(bench.signal);
      const signal = AbortSignal.any([bench.signal, AbortSignal.timeout(stepLimitMs)]);
      await step.run(signal, round).catch((error: unknown) => {
        bench.signal.throwIfAborted();
        const { code, message } = toDormouseError(error);
        const words = `${title}, ${step.name}, round ${round + 1}: ${message} (${code})`;
        bench.failures.push(words);
        bench.say(words);
      });
    }
    bench.say(`${title}: round ${round + 1} of ${rounds}`);
  }
}

/** Until a pool has noticed that it lacks something, and has made it: the raw way has everything ready before its clock starts. */
const restMs = 500;
/** Two looks this far apart: several of the kernel's ticks. */
const lookMs = 60;
/** Idle enough for one measurement to have a processor of its own. */
const idleShare = 0.6;
/** On a machine that other work keeps busy there is no rest to wait for; its load stands in the report. */
const quietLimitMs = 1500;

async function quiet(signal: AbortSignal): Promise<void> {
  await delay(restMs, undefined, { signal });
  const deadline = performance.now() + quietLimitMs;
  while (performance.now() < deadline) {
    const before = cpuTimes();
    await delay(lookMs, undefined, { signal });
    const after = cpuTimes();
    if ((after.idle - before.idle) / Math.max(1, after.all - before.all) >= idleShare) return;
  }
}

function cpuTimes(): { idle: number; all: number } {
  const times = cpus().map((cpu) => cpu.times);
  const idle = times.reduce((sum, time) => sum + time.idle, 0);
  const all = times.reduce((sum, time) => sum + Object.values(time).reduce((a, b) => a + b, 0), 0);
  return { idle, all };
}
