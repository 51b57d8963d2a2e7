/**
 * How the platform grows, without VMs: `npm run growth -- --scenario wakes --apis 1 --nodes 2 …`. The result goes to
 * standard output as JSON, progress to standard error. docs/growth.md says what each scenario measures.
 */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { Interrupted, interruptible } from '../../loadtest/interrupt.ts';
import { measureFairness } from './fairness.ts';
import { measureRecords } from './records.ts';
import type { Run } from './run.ts';
import { measureSleepers } from './sleepers.ts';
import { measureWakes } from './wakes.ts';

const count = z.coerce.number().int().min(1).max(10_000_000);
const optionsSchema = z.object({
  scenario: z.enum(['wakes', 'starts', 'fairness', 'records', 'sleepers']).default('wakes'),
  apis: count.default(1),
  nodes: count.max(16).default(1),
  lanes: count.default(64),
  /** Of a lane; of the whole registry in `records`. */
  actors: count.default(8),
  jobs: count.max(1000).default(64),
  slots: count.max(10_000).default(1000),
  seconds: count.default(10),
  /** Of `starts`. */
  bursts: count.max(1000).default(5),
  phases: z.string().default(''),
  /** Actors that `sleepers` wakes. */
  rounds: count.default(20),
  vms: z.enum(['no', 'yes']).default('no'),
});
type Options = z.infer<typeof optionsSchema>;

const say = (text: string): void => void process.stderr.write(`${text}\n`);

function measure({ scenario, actors, seconds, bursts, rounds, vms, ...size }: Options, run: Run): Promise<object> {
  const measureMs = seconds * 1000;
  switch (scenario) {
    case 'wakes':
    case 'starts': {
      const times = { warmUpMs: measureMs / 2, measureMs };
      return measureWakes({ ...size, ...times, bursts, actorsPerLane: actors, suspends: scenario === 'wakes' }, run);
    }
    case 'fairness':
      return measureFairness({ ...size, measureMs }, run);
    case 'records':
      return measureRecords(actors, run);
    case 'sleepers':
      return measureSleepers({ ...size, actors, rounds, vms: vms === 'yes' }, run);
  }
}

const names = Object.keys(optionsSchema.shape).map((name) => [name, { type: 'string' }] as const);
const options = optionsSchema.parse(parseArgs({ options: Object.fromEntries(names) }).values);
using interrupt = interruptible(say);
try {
  const result = await measure(options, { say, signal: interrupt.signal });
  process.stdout.write(`${JSON.stringify({ options, result }, null, 2)}\n`);
} catch (error) {
  if (!(error instanceof Interrupted)) throw error;
  process.exitCode = error.exitCode;
}
