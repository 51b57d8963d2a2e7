/** `npm run chaos`: one run by the command line, and what it found. */
import { writeFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { helpText, readWish, type Configuration } from './config.ts';
import { reportText } from './report.ts';
import { runChaos } from './run.ts';
import { sweepDeadRuns, sweepRun } from './sweep.ts';

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function main(words: readonly string[]): Promise<number> {
  try {
    const wish = readWish(words);
    if (wish.kind === 'run') return await runAndReport(wish.configuration);
    if (wish.kind === 'help') process.stdout.write(`${helpText}\n`);
    else if (wish.run !== undefined) await sweepRun(wish.run);
    else for (const name of await sweepDeadRuns()) say(`removed ${name}`);
    return 0;
  } catch (error) {
    const isUsage = error instanceof DormouseError && error.code === 'invalid-input';
    say(`chaos: ${isUsage ? error.message : inspect(error)}`);
    return isUsage ? 2 : 1;
  }
}

async function runAndReport(configuration: Configuration): Promise<number> {
  const { evidence, violations } = await runChaos({ ...configuration, say });
  process.stdout.write(`${reportText(configuration, evidence, violations)}\n`);
  if (configuration.json !== undefined) {
    const logs = Object.fromEntries(evidence.logs);
    await writeFile(
      configuration.json,
      `${JSON.stringify({ configuration, violations, ...evidence, logs }, null, 1)}\n`,
    );
  }
  return violations.length === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
