/**
 * The bench: the platform beside the bare tools, in one run. The report goes to standard output, progress to standard
 * error. Everything that the run started ends with it, on failure and on Ctrl-C too.
 */
import { writeFile } from 'node:fs/promises';
import { DormouseError, toDormouseError } from '../shared/errors/dormouse-error.ts';
import { Interrupted, interruptible } from '../loadtest/interrupt.ts';
import { createBench } from './bench.ts';
import { helpText, readConfiguration, type Configuration } from './config.ts';
import { createFigures } from './figures.ts';
import { measure } from './measure.ts';
import { markdown, readable } from './report/text.ts';

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function main(words: readonly string[]): Promise<number> {
  try {
    const configuration = readConfiguration(words);
    if (configuration !== undefined) return await runAndReport(configuration);
    process.stdout.write(`${helpText}\n`);
    return 0;
  } catch (error) {
    if (error instanceof Interrupted) return error.exitCode;
    const { code, message } = toDormouseError(error);
    say(`bench: ${message}`);
    if (!(error instanceof DormouseError)) console.error(error);
    return code === 'invalid-input' ? 2 : 1;
  }
}

async function runAndReport({ settings, assetsFolder, json, ...how }: Configuration): Promise<number> {
  using interrupt = interruptible(say);
  const { signal } = interrupt;
  await using bench = createBench({ settings, assetsFolder, figures: createFigures(), signal, say });
  const report = await measure(bench).catch((error: unknown) => {
    signal.throwIfAborted(); // whatever failed, it failed because of that
    throw error;
  });
  process.stdout.write(`${how.markdown ? markdown(report) : readable(report)}\n`);
  if (json !== undefined) await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
  if (signal.reason instanceof Interrupted) return signal.reason.exitCode;
  return report.failures.length === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
