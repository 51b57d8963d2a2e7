/**
 * `npm test`, after the set-up: the checks, the Go tests, the unit tests, the tests of the whole with real VMs, and a look
 * at what they left behind. Everything runs, whatever failed before it. The last line counts all of it; exit code 1 if
 * anything failed, or if no test of the whole ran: a green run must mean that VMs booted.
 */
import { mkdir, mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { toDormouseError } from '../../shared/errors/dormouse-error.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { checks } from '../check/checks.ts';
import { runChecks } from '../check/run-checks.ts';
import { trackedFiles } from '../check/tracked-files.ts';
import { lastLine, noCounts, oneFailure, sum, type Counts } from './counts.ts';
import { testEnvironment } from './environment.ts';
import { runGoTests } from './go-tests.ts';
import { findLeftovers } from './leftovers.ts';
import { runNodeTests } from './node-tests.ts';
import { lookAround, type Surroundings } from './surroundings.ts';

const minute = 60_000;
/** Unit tests use real servers and kernel features, but boot nothing. */
const unitLimits = { concurrency: 2, testLimitMs: 2 * minute, runLimitMs: 20 * minute };
/** One test of the whole may boot several VMs under emulation, on two busy cores. */
const wholeLimits = { concurrency: 1, testLimitMs: 15 * minute, runLimitMs: 120 * minute };

/** Ctrl-C and kill: what runs is ended, what has not begun is left out, and what was left behind is still shown. */
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort());

/** Short, because socket paths begin with it and end at 107 bytes. */
const folder = await mkdtemp('/tmp/dm-');
const counts = sum([...(await runAll(folder)), await removeFolder(folder)]);
console.log(counts.skipped > 0 ? `\n${counts.skipped} skipped (their reasons stand above)` : '');
console.log(lastLine(counts));
process.exitCode = counts.failed === 0 ? 0 : 1;

/** The folder itself is for results; `run` in it becomes the TMPDIR of every test, so all that a test makes lies below it. */
async function runAll(folder: string): Promise<Counts[]> {
  const run = path.join(folder, 'run');
  await mkdir(run);
  const before = await lookAround(run);
  const environment = testEnvironment(process.env, run);
  const common = { environment, folder, cancel: interrupted.signal };
  const files = (await trackedFiles()).filter((name) => name.endsWith('.test.ts'));
  const whole = files.filter((name) => name.startsWith('e2e/'));
  const units = files.filter((name) => !whole.includes(name));
  return [
    await part('checks', async () => ({ ...noCounts, ...(await runChecks(checks, (line) => console.log(line))) })),
    await part('Go tests', () => runGoTests(environment)),
    await part('unit tests', () => runNodeTests({ files: units, ...unitLimits, ...common }, 'unit')),
    await part('tests of the whole', async () =>
      refuseNone(await runNodeTests({ files: whole, ...wholeLimits, ...common }, 'whole')),
    ),
    await checkLeftovers(run, before),
  ];
}

/** A part that could not run has failed, and the others still run. */
async function part(title: string, run: () => Promise<Counts>): Promise<Counts> {
  console.log(`\n== ${title}`);
  if (interrupted.signal.aborted) {
    console.log('✖ left out: interrupted');
    return oneFailure;
  }
  return run().catch((error: unknown) => {
    console.log(`✖ ${title}: ${toDormouseError(error).message}`);
    return oneFailure;
  });
}

function refuseNone(counts: Counts): Counts {
  if (counts.passed + counts.failed > 0) return counts;
  console.log('✖ no test of the whole ran');
  return sum([counts, oneFailure]);
}

async function checkLeftovers(marker: string, before: Surroundings): Promise<Counts> {
  console.log('\n== leftovers');
  const left = await findLeftovers(marker, before);
  for (const { kind, what } of left) console.log(`✖ left behind: ${kind} ${what}`);
  if (left.length > 0) return oneFailure;
  console.log('✔ nothing was left behind');
  return { ...noCounts, passed: 1 };
}

/** Refuses to delete through a mount that a test left; then the folder stays, and that is a failure of its own. */
async function removeFolder(target: string): Promise<Counts> {
  try {
    await removeTree(target, path.dirname(target));
    return noCounts;
  } catch (error) {
    console.log(`✖ ${toDormouseError(error).message}`);
    return oneFailure;
  }
}
