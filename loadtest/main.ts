/**
 * The load test: measures calls by the kind of their start and reports them. The report goes to standard output,
 * progress and errors to standard error. Everything the run made is deleted at its end, whatever that was.
 */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { DormouseApiError } from '../sdk/api-error.ts';
import { createClient, type DormouseClient } from '../sdk/client.ts';
import { DormouseError } from '../shared/errors/dormouse-error.ts';
import { helpText, readConfiguration, type Configuration } from './config.ts';
import { Interrupted, interruptible } from './interrupt.ts';
import { createMadeThings } from './made-things.ts';
import { measure } from './measure.ts';
import { reportText } from './report/text.ts';

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function main(words: readonly string[]): Promise<number> {
  try {
    const configuration = readConfiguration(words);
    if (configuration !== undefined) return await runAndReport(configuration);
    process.stdout.write(`${helpText}\n`);
    return 0;
  } catch (error) {
    if (error instanceof Interrupted) return error.exitCode;
    say(`loadtest: ${describeFailure(error)}`);
    return error instanceof DormouseError && error.code === 'invalid-input' ? 2 : 1;
  }
}

async function runAndReport(configuration: Configuration): Promise<number> {
  using interrupt = interruptible(say);
  const client = createClient(configuration);
  await requireReady(client, interrupt.signal);
  // Short enough for a name, long enough that two runs at a time do not meet.
  await using made = createMadeThings(client, randomBytes(4).toString('hex'));
  const bench = { client, made, path: configuration.path };
  const { report, interrupted } = await measure(configuration, bench, interrupt.signal, say);
  process.stdout.write(`${reportText(report)}\n`);
  if (configuration.json !== undefined) await writeFile(configuration.json, `${JSON.stringify(report, null, 2)}\n`);
  if (interrupted !== undefined) return interrupted.exitCode;
  return report.summaries.every((summary) => summary.counted === summary.calls) ? 0 : 1;
}

async function requireReady(client: DormouseClient, signal: AbortSignal): Promise<void> {
  const { ready, report } = await client.health.ready({ signal });
  if (ready) return;
  throw new Error(`Dormouse at ${client.url} is not ready: ${JSON.stringify(report)}`);
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
