/** Runs checks two at a time, prints a line for each as it ends and the words of those that failed, and counts. */
import { styleText } from 'node:util';
import { toDormouseError } from '../../shared/errors/dormouse-error.ts';
import type { Check } from './checks.ts';

/** The tools are single-threaded, and the smallest machine that this is meant for has two cores. */
const atOnce = 2;

export interface CheckCounts {
  readonly passed: number;
  readonly failed: number;
}

export async function runChecks(checks: readonly Check[], print: (line: string) => void): Promise<CheckCounts> {
  const waiting = [...checks];
  let failed = 0;
  const work = async (): Promise<void> => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      if (!(await runOne(check, print))) failed += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return { passed: checks.length - failed, failed };
}

async function runOne(check: Check, print: (line: string) => void): Promise<boolean> {
  const beganAt = performance.now();
  // A check that could not run has not passed.
  const words = await check.run().catch((error: unknown) => toDormouseError(error).message);
  const seconds = ((performance.now() - beganAt) / 1000).toFixed(1);
  const mark = words === '' ? styleText('green', '✔') : styleText('red', '✖');
  print(`${mark} ${check.name} (${seconds} s)`);
  if (words !== '') print(words.replace(/^/gm, '    '));
  return words === '';
}
