/**
 * The load test: measures calls by the kind of their start and reports them. The report goes to standard output,
 * progress and errors to standard error. Everything the run made is deleted at its end, whatever that was.
 */
import { randomBytes } from 'node:crypto';
import { DormouseApiError } from '../sdk/api-error.ts';
import { createClient, type DormouseClient } from '../sdk/client.ts';
import { DormouseError } from '../shared/errors/dormouse-error.ts';
import { readConfiguration, type Configuration } from './config.ts';
import { helpText } from './help.ts';
import { Interrupted, interruptible } from './interrupt.ts';
import { hasGrown } from './leak/verdict.ts';
import { seededRandom } from './load/random.ts';
import { createMadeThings } from './made-things.ts';
import { measure, type Measured } from './measure.ts';
import { writeComparison, writeResult } from './output.ts';
import type { PlanContext } from './plan.ts';
import { createProgress, type Progress } from './progress.ts';
import { createRecorder } from './recorder.ts';
import { dormouseTarget, type Platform } from './target/dormouse.ts';
import { endpointTarget } from './target/endpoint.ts';
import type { Target } from './target/target.ts';

async function main(words: readonly string[]): Promise<number> {
  using progress = createProgress(process.stderr);
  try {
    const configuration = readConfiguration(words);
    if (configuration === undefined) process.stdout.write(`${helpText}\n`);
    else if (configuration.compare !== undefined) await writeComparison(configuration, configuration.compare);
    else return await runAndReport(configuration, progress);
    return 0;
  } catch (error) {
    if (error instanceof Interrupted) return error.exitCode;
    progress.say(`loadtest: ${describeFailure(error)}`);
    return error instanceof DormouseError && error.code === 'invalid-input' ? 2 : 1;
  }
}

async function runAndReport(configuration: Configuration, progress: Progress): Promise<number> {
  using interrupt = interruptible((text) => progress.say(text));
  const { signal } = interrupt;
  await using resources = new AsyncDisposableStack();
  const platform = configuration.plain ? undefined : await openPlatform(configuration, resources, signal);
  const target = targetOf(configuration, platform);
  const random = seededRandom(configuration.seed);
  const bench = { target, recorder: createRecorder(), progress, random, path: configuration.path };
  const context: PlanContext = { configuration, bench, platform, resources };
  const measured = await measure(context, signal);
  progress.doing('writing the report');
  await writeResult(configuration, measured.result);
  if (measured.interrupted === undefined) progress.doing('deleting what this run made');
  return exitCode(measured);
}

async function openPlatform(
  configuration: Configuration,
  resources: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<Platform> {
  const client = createClient(configuration);
  await requireReady(client, signal);
  // Short enough for a name, long enough that two runs at a time do not meet.
  return { client, made: resources.use(createMadeThings(client, randomBytes(4).toString('hex'))) };
}

function targetOf(configuration: Configuration, platform: Platform | undefined): Target {
  if (platform !== undefined) return dormouseTarget(platform, configuration.template);
  const { url, 'sleep-command': sleepCommand, 'wake-command': wakeCommand } = configuration;
  return endpointTarget({
    url,
    ...(sleepCommand === undefined ? {} : { sleepCommand }),
    ...(wakeCommand === undefined ? {} : { wakeCommand }),
  });
}

async function requireReady(client: DormouseClient, signal: AbortSignal): Promise<void> {
  const { ready, report } = await client.health.ready({ signal });
  if (ready) return;
  throw new Error(`Dormouse at ${client.url} is not ready: ${JSON.stringify(report)}`);
}

function exitCode({ result, interrupted, toleratesFailures }: Measured): number {
  if (interrupted !== undefined) return interrupted.exitCode;
  if (result.leaks !== undefined && hasGrown(result.leaks)) return 1;
  if (toleratesFailures) return 0;
  return result.summaries.every((summary) => summary.counted === summary.calls) ? 0 : 1;
}

function describeFailure(error: unknown): string {
  if (error instanceof DormouseApiError && error.code === 'api-unreachable') {
    return `${error.message}\nStart Dormouse with "npm start", or name its address with --url or DORMOUSE_URL.`;
  }
  if (error instanceof DormouseApiError) return `${error.message} (${error.code})`;
  // What went wrong first, and then that the clean-up failed too.
  if (error instanceof SuppressedError) return `${describeFailure(error.suppressed)}\n${describeFailure(error.error)}`;
  return error instanceof Error ? error.message : String(error);
}

process.exitCode = await main(process.argv.slice(2));
