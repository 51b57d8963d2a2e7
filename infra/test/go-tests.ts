/** Runs the Go tests of every module and counts them from `go test -json`; a package that does not build is a failure. */
import path from 'node:path';
import { execa } from 'execa';
import { goEnvironment } from '../setup/go-environment.ts';
import { goModules } from '../check/go-modules.ts';
import { repositoryRoot } from '../check/tracked-files.ts';
import { noCounts, oneFailure, sum, type Counts } from './counts.ts';

/** Compiles the standard library and grpc once on a machine with a cold cache. */
const limitMs = 900_000;

interface GoEvent {
  readonly Action: string;
  readonly Test?: string;
  readonly Output?: string;
}

export async function runGoTests(environment: Readonly<Record<string, string>>): Promise<Counts> {
  const counts: Counts[] = [];
  for (const folder of await goModules()) counts.push(await runModule(folder, environment));
  return sum(counts);
}

async function runModule(folder: string, environment: Readonly<Record<string, string>>): Promise<Counts> {
  const ended = await execa('go', ['test', '-json', './...'], {
    cwd: path.join(repositoryRoot, folder),
    env: { ...environment, ...(await goEnvironment()) },
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    timeout: limitMs,
  });
  const events = parseGoEvents(ended.stdout);
  const counts = countGoEvents(events);
  console.log(`${ended.failed ? '✖' : '✔'} go test ${folder} (${counts.passed} passed, ${counts.failed} failed)`);
  if (!ended.failed) return counts;
  console.log(events.map((event) => event.Output ?? '').join('') + ended.stderr);
  return counts.failed > 0 ? counts : sum([counts, oneFailure]);
}

/** Compiler messages stand between the events as plain lines. */
export function parseGoEvents(output: string): GoEvent[] {
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (line.startsWith('{') ? (JSON.parse(line) as GoEvent) : { Action: 'output', Output: `${line}\n` }));
}

export function countGoEvents(events: readonly GoEvent[]): Counts {
  const count = (action: string) => events.filter(({ Action, Test }) => Action === action && Test !== undefined).length;
  return { ...noCounts, passed: count('pass'), failed: count('fail'), skipped: count('skip') };
}
