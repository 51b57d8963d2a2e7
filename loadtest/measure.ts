/** One whole run: plans, runs the rounds, and puts all that was found out into a result. Writes and deletes nothing. */
import { Interrupted } from './interrupt.ts';
import { median } from './percentile.ts';
import { currentLoad, describeCommit, describeMachine, describeVersions } from './machine.ts';
import { planOf, type Plan, type PlanContext } from './plan.ts';
import { resultSchemaVersion, type Look, type RunResult } from './result/result.ts';
import { ratioOf, summariesOf } from './result/summary.ts';
import { roundOrder, type Bench } from './scenarios/series.ts';
import { watchPlatform } from './watch/watch.ts';

export interface Measured {
  readonly result: RunResult;
  readonly interrupted: Interrupted | undefined;
  readonly toleratesFailures: boolean;
}

/** A result beyond this is megabytes that no reader opens; figures and curves are made of all calls all the same. */
const mostSamplesKept = 20_000;

export async function measure(context: PlanContext, signal: AbortSignal): Promise<Measured> {
  const { configuration, bench, platform } = context;
  const { recorder, progress } = bench;
  const startedAt = new Date().toISOString();
  const loadBefore = currentLoad();
  const versions = await describeVersions(platform?.client, signal);
  // Before anything is measured: after an interruption the person waits for what the run made to be deleted.
  const commit = await describeCommit();
  const plan = await planOf(context, signal);
  progress.follow(recorder);
  const { looks, interrupted } = await runWatched(context, plan, signal);
  const few = recorder.samples.length <= mostSamplesKept;
  const summaries = summariesOf(plan.series, recorder.samples);
  const result: RunResult = {
    schemaVersion: resultSchemaVersion,
    startedAt,
    finishedAt: new Date().toISOString(),
    interrupted: interrupted !== undefined,
    machine: describeMachine(loadBefore),
    ...(commit === undefined ? {} : { commit }),
    ...{ versions, scenario: configuration.scenario, settings: settingsOf(context) },
    templates: [...(plan.templates ?? (platform === undefined ? [] : [configuration.template]))],
    discarded: recorder.discarded,
    summaries,
    ratios: (plan.comparisons ?? []).map(([of, to]) => ratioOf(summaries, of, to)),
    preparations: [...(plan.preparations ?? [])],
    ...(interrupted === undefined ? plan.findings?.() : {}),
    notes: [
      ...(plan.notes ?? []),
      ...(few ? [] : [`${recorder.samples.length} calls: they are not listed one by one`]),
    ],
    sleeps: [...recorder.sleeps],
    looks: [...looks],
    samples: few ? [...recorder.samples] : [],
  };
  return { result, interrupted, toleratesFailures: plan.toleratesFailures === true };
}

async function runWatched({ configuration, bench, platform }: PlanContext, plan: Plan, signal: AbortSignal) {
  if (platform === undefined) return { looks: [], interrupted: await runRounds(bench, plan, signal) };
  await using watch = watchPlatform(platform.client, configuration.token);
  const interrupted = await runRounds(bench, plan, signal);
  const looks: readonly Look[] = watch.looks;
  return { looks, interrupted };
}

/** Every series once in each round, in a rotating order, until all are done or the run is interrupted. */
async function runRounds(bench: Bench, plan: Plan, signal: AbortSignal): Promise<Interrupted | undefined> {
  const { recorder, progress } = bench;
  try {
    for (let round = -plan.warmUpRounds; round < plan.rounds; round++) {
      if (round < 0) recorder.discard();
      else recorder.keep();
      for (const one of roundOrder(plan.series, Math.max(0, round))) {
        signal.throwIfAborted();
        progress.doing(round < 0 ? `warm-up: ${one.name}` : `round ${round + 1}/${plan.rounds}: ${one.name}`);
        const before = recorder.samples.length;
        await one.measure(signal);
        if (round >= 0) progress.say(roundWords(bench, plan, round, one.name, before));
      }
    }
    return undefined;
  } catch (error) {
    if (error instanceof Interrupted) return error;
    throw error;
  }
}

function roundWords({ recorder }: Bench, { rounds }: Plan, round: number, name: string, before: number): string {
  const samples = recorder.samples.slice(before);
  const failed = samples.filter((sample) => !sample.ok);
  const p50 = median(samples.flatMap((sample) => (sample.ok ? (sample.latencyMs ?? []) : [])));
  const failure = failed.length === 0 ? '' : `, ${failed.length} FAILED (${failed[0]?.error?.code ?? 'unknown'})`;
  return `round ${round + 1}/${rounds} ${name}: ${samples.length} calls, p50 ${p50?.toFixed(1) ?? '-'} ms${failure}`;
}

/** All options but the secret, and the credentials that a URL may carry. */
function settingsOf({ configuration }: PlanContext): RunResult['settings'] {
  const { token: _, ...options } = configuration;
  return Object.fromEntries(
    Object.entries(options)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, typeof value === 'string' ? value.replace(/\/\/[^/@]*@/, '//…@') : value]),
  );
}
