/** From the options to what will be measured: the scenario, what it compares, and what had to be left out. */
import type { Configuration } from './config.ts';
import { openLeakSources } from './leak/sources.ts';
import { ladderRates } from './load/knee.ts';
import type { RunResult } from './result/result.ts';
import { churnScenario } from './scenarios/churn.ts';
import { coldSeries } from './scenarios/cold.ts';
import { crowdScenario } from './scenarios/crowd.ts';
import { hotSeries } from './scenarios/hot.ts';
import { ladderScenario } from './scenarios/ladder.ts';
import { memorySeries } from './scenarios/memory.ts';
import { mixedScenario } from './scenarios/mixed.ts';
import { moveSeries, parallelSeries } from './scenarios/placed.ts';
import type { Bench, Scenario, Series } from './scenarios/series.ts';
import { warmSeries } from './scenarios/warm.ts';
import type { Platform } from './target/dormouse.ts';
import { prepareTemplateFiles } from './template-files.ts';

export interface PlanContext {
  readonly configuration: Configuration;
  readonly bench: Bench;
  readonly platform: Platform | undefined;
  /** Whatever a scenario opens is closed with the run. */
  readonly resources: AsyncDisposableStack;
}

export type Plan = Scenario & Partial<Pick<RunResult, 'templates' | 'preparations'>>;

const secondMs = 1000;

export async function planOf(context: PlanContext, signal: AbortSignal): Promise<Plan> {
  const { configuration, bench, platform } = context;
  const { scenario, template, actors, rounds, 'warm-up': warmUpRounds } = configuration;
  if (scenario === 'start') return planStartComparison(context, signal);
  if (platform !== undefined) {
    bench.progress.doing(`waiting for the template ${template}`);
    await platform.client.templates.waitReady(template, { signal });
  }
  bench.progress.doing('making actors');
  const inRounds = { rounds, warmUpRounds };
  const warmUpMs = warmUpRounds * secondMs;
  switch (scenario) {
    case 'burst':
    case 'staggered':
      return crowdScenario(bench, { name: scenario, actors, gapMs: configuration.gap, ...inRounds }, signal);
    case 'parallel-resume':
      return { series: await parallelSeries(bench, configuration.parallel, signal), ...inRounds };
    case 'memory':
      return {
        series: await memorySeries(bench, configuration.dirty, configuration['dirty-path'], signal),
        ...inRounds,
      };
    case 'cross-node':
      return withComparisons(await moves(bench, ['same node', 'other node'], signal), inRounds);
    case 'mixed': {
      const { zipf: exponent, rate: ratePerS, idle: idleMs, duration } = configuration;
      const mix = { actors, exponent, ratePerS, idleMs, warmUpMs, durationMs: duration * secondMs };
      return mixedScenario(bench, mix, signal);
    }
    case 'ladder': {
      const { kind, step, 'p50-bound': p50BoundMs, ladder } = configuration;
      const ratesPerS = ladderRates(...ladder);
      return ladderScenario(bench, { kind, actors, ratesPerS, stepMs: step * secondMs, warmUpMs, p50BoundMs }, signal);
    }
    case 'churn':
      return planChurn(context, signal);
    case 'all':
    case 'cold':
    case 'warm':
    case 'hot':
      return planKinds(context, signal);
  }
}

interface Rounds {
  readonly rounds: number;
  readonly warmUpRounds: number;
}

async function planKinds({ configuration, bench, platform }: PlanContext, signal: AbortSignal): Promise<Scenario> {
  const { scenario, calls, rate: ratePerS, rounds, 'warm-up': warmUpRounds } = configuration;
  const wants = (kind: string): boolean => scenario === 'all' || scenario === kind;
  const series: Series[] = [];
  const notes: string[] = [];
  if (wants('cold') && platform !== undefined) series.push(coldSeries(bench));
  if (wants('warm')) {
    series.push(await warmSeries(bench, signal));
    if (platform !== undefined) {
      const other = await moves(bench, ['other node'], signal);
      series.push(...other.series);
      notes.push(...other.notes);
    }
  }
  if (wants('hot')) series.push(await hotSeries(bench, { calls, ratePerS }, signal));
  return withComparisons({ series, notes }, { rounds, warmUpRounds });
}

async function moves(bench: Bench, to: readonly ('same node' | 'other node')[], signal: AbortSignal) {
  const series: Series[] = [];
  const notes: string[] = ['a wake on a chosen node: the time includes the request that names the node'];
  for (const one of to) {
    const made = await moveSeries(bench, one, signal);
    if (made !== undefined) series.push(made);
    else notes.splice(0, Infinity, 'warm on another node was not measured: there is only one node');
  }
  return { series, notes };
}

const comparisons = [
  ['cold', 'warm'],
  ['warm, other node', 'warm'],
  ['warm, other node', 'warm, same node'],
  ['warm', 'hot'],
] as const;

function withComparisons(found: Pick<Scenario, 'series' | 'notes'>, rounds: Rounds): Scenario {
  const has = (name: string): boolean => found.series.some((one) => one.name === name);
  return { ...found, ...rounds, comparisons: comparisons.filter(([of, to]) => has(of) && has(to)) };
}

async function planChurn(context: PlanContext, signal: AbortSignal): Promise<Scenario> {
  const { configuration, bench, platform, resources } = context;
  const { actors, duration, local, 'redis-url': redisUrl, store: storeUrl } = configuration;
  const home = local ? configuration.home : undefined;
  const options = {
    ...(home === undefined ? {} : { home }),
    ...(redisUrl === undefined ? {} : { redisUrl }),
    ...(storeUrl === undefined ? {} : { storeUrl }),
  };
  const sources = resources.use(openLeakSources(platform?.client, options));
  return churnScenario(bench, { actors, durationMs: duration * secondMs, sources, home }, signal);
}

/** Cold starts of several templates, each with its image on the node already: what is compared is the start alone. */
async function planStartComparison(context: PlanContext, signal: AbortSignal): Promise<Plan> {
  const { configuration, bench, platform } = context;
  const { rounds, 'warm-up': warmUpRounds, 'template-file': files } = configuration;
  const prepared = platform === undefined ? [] : await prepareTemplateFiles(platform, bench, files, signal);
  const series = prepared.map(({ name, label }) => coldSeries(bench, `cold ${label}`, name));
  const [first, ...others] = series.map(({ name }) => name);
  return {
    ...{ series, rounds, warmUpRounds },
    comparisons: first === undefined ? [] : others.map((other) => [other, first] as const),
    templates: prepared.map(({ label }) => label),
    preparations: prepared.map(({ label, file, readyMs }) => ({ template: label, file, readyMs })),
  };
}
