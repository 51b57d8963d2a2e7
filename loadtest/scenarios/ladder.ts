/**
 * The ladder: an open loop whose rate climbs step by step until calls fail or the p50 passes its bound. The last step
 * before that is the knee. Of hot calls it climbs over actors that run; of warm ones each call takes an actor that
 * sleeps and puts it back to sleep: then the knee is how many wakes and sleeps a second so many actors can have.
 */
import { distributionOf } from '../histogram.ts';
import { kneeOf, overload, type Step } from '../load/knee.ts';
import { openLoop } from '../load/open-loop.ts';
import { poisson } from '../load/schedule.ts';
import { measureCall } from '../sample.ts';
import type { Ladder, Sample } from '../result/result.ts';
import { createActorPool, type ActorPool } from './actor-pool.ts';
import type { Bench, Scenario, Series } from './series.ts';
import { orUnmade } from './sleeping-actor.ts';

export interface LadderPlan {
  readonly kind: 'hot' | 'warm';
  readonly actors: number;
  readonly ratesPerS: readonly number[];
  readonly stepMs: number;
  /** The first part of each step, which is not counted. */
  readonly warmUpMs: number;
  readonly p50BoundMs: number;
}

export async function ladderScenario(bench: Bench, plan: LadderPlan, signal: AbortSignal): Promise<Scenario> {
  const pool = await createActorPool(bench, plan, signal);
  const steps: (Step & { readonly p99Ms: number | undefined })[] = [];
  const series = plan.ratesPerS.map((ratePerS): Series => {
    const name = `${ratePerS}/s`;
    return {
      name,
      expects: plan.kind,
      async measure(running) {
        const last = steps.at(-1);
        if (last !== undefined && overload(last, plan) !== undefined) return; // beyond the knee: nothing to learn
        const before = bench.recorder.samples.length;
        await climb(bench, name, ratePerS, pool, plan, running);
        steps.push(stepOf(ratePerS, bench.recorder.samples.slice(before)));
      },
    };
  });
  const findings = () => ({ ladder: ladderOf(steps, plan) });
  return { series, rounds: 1, warmUpRounds: 0, findings, toleratesFailures: true };
}

async function climb(
  bench: Bench,
  series: string,
  ratePerS: number,
  pool: ActorPool,
  plan: LadderPlan,
  signal: AbortSignal,
): Promise<void> {
  await openLoop(poisson(ratePerS, plan.warmUpMs + plan.stepMs, bench.random), signal, async (arrival) => {
    const { intendedAt, offsetMs } = arrival;
    await orUnmade(bench, series, '', signal, async () => {
      const actor = await pool.take(signal);
      const sample = await measureCall({ series, actor }, { ...bench, intendedAt }, signal);
      pool.giveBack(actor, signal);
      bench.recorder.record(sample, offsetMs < plan.warmUpMs);
    });
  });
  await pool.atRest();
}

function stepOf(ratePerS: number, samples: readonly Sample[]): Step & { readonly p99Ms: number | undefined } {
  const succeeded = samples.filter((sample) => sample.ok);
  const { percentile } = distributionOf(succeeded.flatMap((sample) => sample.latencyMs ?? []));
  const counts = { offered: samples.length, succeeded: succeeded.length };
  return { ratePerS, ...counts, p50Ms: percentile(50), p99Ms: percentile(99) };
}

function ladderOf(steps: readonly (Step & { readonly p99Ms: number | undefined })[], plan: LadderPlan): Ladder {
  const { ratePerS, reached, reason } = kneeOf(steps, plan);
  return {
    steps: steps.map(({ p50Ms, p99Ms, ...step }) => ({
      ...step,
      ...(p50Ms === undefined ? {} : { p50Ms }),
      ...(p99Ms === undefined ? {} : { p99Ms }),
    })),
    p50BoundMs: plan.p50BoundMs,
    knee: { reached, reason, ...(ratePerS === undefined ? {} : { ratePerS }) },
  };
}
