/** One whole run: plans, runs the rounds, and puts all that was found out into a report. Writes and deletes nothing. */
import type { Configuration } from './config.ts';
import type { Interrupted } from './interrupt.ts';
import { currentLoad, describeCommit, describeMachine, describeVersions } from './machine.ts';
import { planOf, type Say } from './plan.ts';
import { reportSchemaVersion, type Report } from './report/report.ts';
import { ratioOf, summarize } from './report/summary.ts';
import { runRounds } from './rounds.ts';
import type { Bench } from './series/series.ts';

export async function measure(
  configuration: Configuration,
  bench: Bench,
  signal: AbortSignal,
  say: Say,
): Promise<{ readonly report: Report; readonly interrupted: Interrupted | undefined }> {
  const startedAt = new Date().toISOString();
  const loadBefore = currentLoad();
  const versions = await describeVersions(bench.client, signal);
  const plan = await planOf(configuration, bench, signal, say);
  const { samples, interrupted } = await runRounds(plan.series, configuration.rounds, signal, say);
  const summaries = plan.series.map((series) => summarize({ name: series.name, expects: series.expects }, samples));
  const report: Report = {
    schemaVersion: reportSchemaVersion,
    startedAt,
    finishedAt: new Date().toISOString(),
    interrupted: interrupted !== undefined,
    machine: describeMachine(loadBefore),
    versions,
    commit: await describeCommit(),
    settings: settingsOf(configuration, plan.templates),
    summaries,
    ratios: plan.comparisons.map(([of, to]) => ratioOf(summaries, of, to)),
    preparations: plan.preparations,
    notes: plan.notes,
    samples,
  };
  return { report, interrupted };
}

const settingsOf = (configuration: Configuration, templates: readonly string[]): Report['settings'] => ({
  url: configuration.url,
  scenario: configuration.scenario,
  templates,
  rounds: configuration.rounds,
  path: configuration.path,
  hotCalls: configuration.calls,
  hotConcurrency: configuration.concurrency,
});
