/**
 * Runs the steps of the set-up in order: `[setup] 4/7 asset set: …` on standard error while one works, nothing for one
 * that is done already. A step is done when its stamp, which lies inside what the step made, names the fingerprint of
 * what it is made from; so a changed source and a deleted result are both noticed, and looking costs milliseconds.
 * Failure: `precondition-missing` with the step, its reason, and how to mend it; the steps before it keep their result.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DormouseError, toDormouseError } from '../../shared/errors/dormouse-error.ts';

export interface Step {
  readonly name: string;
  /** Files and folders, the sources that decide the result. */
  readonly inputs: readonly string[];
  /** Further words that decide the result, an architecture for example. */
  readonly key?: string;
  /** What the step makes. */
  readonly result: string;
  /** Where the stamp lies: beside or inside the result, so that deleting the folder deletes it. */
  readonly stamp: string;
  readonly mend: string;
  run(report: (progress: string) => void): Promise<void>;
}

export interface StepNumbers {
  readonly first: number;
  readonly total: number;
}

/** Returns the names of the steps that had something to do. */
export async function runSteps(
  steps: readonly Step[],
  numbers: StepNumbers,
  print: (line: string) => void,
): Promise<string[]> {
  const worked: string[] = [];
  for (const [index, step] of steps.entries()) {
    const fingerprint = await fingerprintOf(step);
    if (await isDone(step, fingerprint)) continue;
    await runStep(step, `[setup] ${numbers.first + index}/${numbers.total} ${step.name}`, print);
    await writeStamp(step.stamp, fingerprint);
    worked.push(step.name);
  }
  return worked;
}

async function isDone(step: Step, fingerprint: string): Promise<boolean> {
  const stamp = await readFile(step.stamp, 'utf8').catch(() => '');
  if (stamp !== fingerprint) return false;
  return stat(step.result).then(
    () => true,
    () => false,
  );
}

async function runStep(step: Step, title: string, print: (line: string) => void): Promise<void> {
  const beganAt = performance.now();
  const seconds = () => ((performance.now() - beganAt) / 1000).toFixed(1);
  print(`${title}: …`);
  try {
    await step.run((progress) => print(`${title}: ${progress} (${seconds()} s)`));
  } catch (error) {
    const cause = toDormouseError(error);
    throw new DormouseError('precondition-missing', `${step.name}: ${cause.message}\n${step.mend}`, {
      cause,
      details: { step: step.name, ...cause.details },
    });
  }
  print(`${title}: done in ${seconds()} s`);
}

async function writeStamp(stamp: string, fingerprint: string): Promise<void> {
  await mkdir(path.dirname(stamp), { recursive: true });
  const draft = `${stamp}.${process.pid}`;
  await writeFile(draft, fingerprint);
  await rename(draft, stamp);
}

async function fingerprintOf(step: Step): Promise<string> {
  const hash = createHash('sha256').update(step.key ?? '');
  for (const input of step.inputs) await hashTree(hash, input);
  return hash.digest('hex');
}

/** Tests do not decide a result, and neither does documentation. */
const undecisive = /(\.test\.ts|_test\.go|\.md)$/;

async function hashTree(hash: ReturnType<typeof createHash>, target: string): Promise<void> {
  const entries = await readdir(target, { withFileTypes: true, recursive: true }).catch(() => undefined);
  if (entries === undefined) {
    hash.update(`${target}\0`).update(await readFile(target).catch(() => 'missing'));
    return;
  }
  const files = entries.filter((entry) => entry.isFile() && !undecisive.test(entry.name));
  for (const file of files.map((entry) => path.join(entry.parentPath, entry.name)).sort()) {
    hash.update(`${path.relative(target, file)}\0`).update(await readFile(file));
  }
}
