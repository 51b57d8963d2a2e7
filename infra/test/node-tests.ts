/**
 * Runs test files with node's own runner: readable output to the console, results to a file that is counted. A runner
 * that fails without a failed test (it crashed, or was ended at the limit) counts as one failure.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { repositoryRoot } from '../check/tracked-files.ts';
import { oneFailure, noCounts, sum, type Counts } from './counts.ts';
import type { TestResult } from './result-reporter.ts';

export interface TestRun {
  readonly files: readonly string[];
  /** Files at the same time. */
  readonly concurrency: number;
  /** For one test, and for all files together: a file that never ends is not a failed test to node. */
  readonly testLimitMs: number;
  readonly runLimitMs: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Where the results go; a folder that the caller removes. */
  readonly folder: string;
  /** Ends the run early; what had not ended counts as one failure. */
  readonly cancel?: AbortSignal;
  /** Default true: what the runner says goes to our own output. */
  readonly show?: boolean;
}

const reporter = path.join(import.meta.dirname, 'result-reporter.ts');

export async function runNodeTests(run: TestRun, name: string): Promise<Counts> {
  if (run.files.length === 0) return noCounts;
  const results = path.join(run.folder, `${name}.results`);
  const args = [
    '--test',
    `--test-concurrency=${run.concurrency}`,
    `--test-timeout=${run.testLimitMs}`,
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ...[`--test-reporter=${reporter}`, `--test-reporter-destination=${results}`],
    ...run.files,
  ];
  const ended = await execa('setpriv', ['--pdeathsig', 'KILL', '--', process.execPath, ...args], {
    cwd: repositoryRoot,
    env: run.environment,
    extendEnv: false,
    stdin: 'ignore',
    stdout: run.show === false ? 'ignore' : 'inherit',
    stderr: run.show === false ? 'ignore' : 'inherit',
    reject: false,
    timeout: run.runLimitMs,
    ...(run.cancel === undefined ? {} : { cancelSignal: run.cancel }),
  });
  const counts = countResults(await readFile(results, 'utf8').catch(() => ''));
  if (!ended.failed || counts.failed > 0) return counts;
  if (run.show !== false) console.log(`✖ ${name}: ${ended.shortMessage ?? 'the test runner failed'}`);
  return sum([counts, oneFailure]);
}

export function countResults(lines: string): Counts {
  const results = lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TestResult);
  const count = (outcome: TestResult['outcome']) => results.filter((result) => result.outcome === outcome).length;
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
}
