/** One whole run: the cases one after the other, and the report of what they found, even when it was interrupted. */
import { toDormouseError } from '../shared/errors/dormouse-error.ts';
import { currentLoad, describeCommit, describeMachine, describeVersions } from '../loadtest/machine.ts';
import type { Bench } from './bench.ts';
import { measureConcurrency } from './cases/concurrency.ts';
import { measureDensity } from './cases/density.ts';
import { measureFiles } from './cases/files.ts';
import { measureFirstStarts } from './cases/first.ts';
import { measureHotCalls } from './cases/hot.ts';
import { measureIdle } from './cases/idle.ts';
import { measureStall } from './cases/stall.ts';
import { measureDeltas, measureSuspends } from './cases/suspend.ts';
import { measureVmm } from './cases/vmm.ts';
import { measureWakes } from './cases/wake.ts';
import type { CaseName, TemplateName } from './config.ts';
import { reportSchemaVersion, type Report } from './report/report.ts';
import { verdictsOf } from './report/targets.ts';

const cases: Readonly<Record<CaseName, (bench: Bench, template: TemplateName) => Promise<void>>> = {
  wake: measureWakes,
  first: measureFirstStarts,
  suspend: measureSuspends,
  delta: measureDeltas,
  hot: measureHotCalls,
  density: measureDensity,
  files: measureFiles,
  vmm: measureVmm,
  idle: measureIdle,
  concurrency: measureConcurrency,
  stall: measureStall,
};

export async function measure(bench: Bench): Promise<Report> {
  const startedAt = new Date().toISOString();
  const loadBefore = currentLoad();
  const { client } = await bench.platform('file');
  const { node, runtimes } = await describeVersions(client, bench.signal);
  for (const name of bench.settings.cases) {
    for (const template of bench.settings.templates) await runCase(bench, name, template);
  }
  const commit = await describeCommit();
  const figures = bench.figures.summaries();
  return {
    schemaVersion: reportSchemaVersion,
    startedAt,
    finishedAt: new Date().toISOString(),
    interrupted: bench.signal.aborted,
    machine: { ...describeMachine(loadBefore), loadAverage: [loadBefore, currentLoad()] },
    versions: { node, runtimes: [...runtimes] },
    ...(commit !== undefined && { commit }),
    settings: { ...bench.settings, cases: [...bench.settings.cases], templates: [...bench.settings.templates] },
    figures,
    verdicts: verdictsOf(figures, bench.settings.templates),
    failures: bench.failures,
  };
}

/** A case that cannot go on is reported, and the others are still measured; an interrupted one ends the run. */
async function runCase(bench: Bench, name: CaseName, template: TemplateName): Promise<void> {
  if (bench.signal.aborted) return;
  await cases[name](bench, template).catch((error: unknown) => {
    if (bench.signal.aborted) return;
    const { code, message } = toDormouseError(error);
    bench.failures.push(`${name} ${template}: ${message} (${code})`);
    bench.say(bench.failures.at(-1) ?? '');
  });
}
