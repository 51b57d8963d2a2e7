/** From the options to what will be measured: the series, the ratios between them, and what had to be left out. */
import type { Configuration } from './config.ts';
import type { Preparation } from './report/report.ts';
import { coldSeries } from './series/cold.ts';
import { hotSeries } from './series/hot.ts';
import type { Bench, Series } from './series/series.ts';
import { prepareTemplateFiles } from './template-files.ts';
import { warmOtherNodeSeries } from './series/warm-other-node.ts';
import { warmSeries } from './series/warm.ts';

export interface Plan {
  readonly templates: readonly string[];
  readonly series: readonly Series[];
  /** Pairs of series: the first is compared with the second. */
  readonly comparisons: readonly (readonly [of: string, to: string])[];
  readonly preparations: readonly Preparation[];
  readonly notes: readonly string[];
}

export type Say = (text: string) => void;

export const planOf = (configuration: Configuration, bench: Bench, signal: AbortSignal, say: Say): Promise<Plan> =>
  configuration.scenario === 'start'
    ? planStartComparison(configuration, bench, signal, say)
    : planKinds(configuration, bench, signal, say);

async function planKinds(configuration: Configuration, bench: Bench, signal: AbortSignal, say: Say): Promise<Plan> {
  const { template, scenario, calls, concurrency } = configuration;
  const wants = (kind: string): boolean => scenario === 'all' || scenario === kind;
  await bench.client.templates.waitReady(template, { signal, onProgress: sayOnce(say) });
  const series: Series[] = [];
  const notes: string[] = [];
  if (wants('cold')) series.push(coldSeries(bench, template));
  if (wants('warm')) {
    series.push(await warmSeries(bench, template, signal));
    const other = await warmOtherNodeSeries(bench, template, signal);
    if (other === undefined) notes.push('warm on another node was not measured: there is only one node');
    else {
      series.push(other);
      notes.push('warm, other node: the time includes the request that names the node');
    }
  }
  if (wants('hot')) series.push(await hotSeries(bench, template, { calls, concurrency }, signal));
  const pairs = [
    ['cold', 'warm'],
    ['warm, other node', 'warm'],
    ['warm', 'hot'],
  ] as const;
  const has = (name: string): boolean => series.some((one) => one.name === name);
  const comparisons = pairs.filter(([of, to]) => has(of) && has(to));
  return { templates: [template], series, comparisons, preparations: [], notes };
}

/** Cold starts of several templates, each with its image on the node already: what is compared is the start alone. */
async function planStartComparison(
  configuration: Configuration,
  bench: Bench,
  signal: AbortSignal,
  say: Say,
): Promise<Plan> {
  const prepared = await prepareTemplateFiles(bench, configuration.templateFiles, signal, say);
  const series = prepared.map(({ name, label }) => coldSeries(bench, name, `cold ${label}`));
  const [first, ...others] = series.map(({ name }) => name);
  return {
    templates: prepared.map(({ label }) => label),
    series,
    comparisons: first === undefined ? [] : others.map((other) => [other, first] as const),
    preparations: prepared.map(({ label, file, readyMs }) => ({ template: label, file, readyMs })),
    notes: [],
  };
}

/** Says that a template is still being prepared, once. */
function sayOnce(say: Say): (template: { readonly name: string; readonly state: string }) => void {
  let said = false;
  return ({ name, state }) => {
    if (!said && state === 'preparing') say(`waiting for the template ${name} …`);
    said = true;
  };
}
