/**
 * How the platform grows, without VMs: `npm run growth -- --scenario wakes --apis 1 --nodes 2 …`. The result goes to
 * standard output as JSON, progress to standard error.
 */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { measureWakes } from './wakes.ts';

const count = z.coerce.number().int().min(1).max(10_000_000);
const optionsSchema = z.object({
  scenario: z.enum(['wakes']).default('wakes'),
  apis: count.default(1),
  nodes: count.max(16).default(1),
  lanes: count.default(64),
  actors: count.default(8),
  jobs: count.max(1000).default(64),
  slots: count.max(1000).default(1000),
  seconds: count.default(10),
  phases: z.string().default(''),
});

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function main(words: readonly string[]): Promise<void> {
  const names = Object.keys(optionsSchema.shape).map((name) => [name, { type: 'string' }] as const);
  const { values } = parseArgs({ args: [...words], options: Object.fromEntries(names) });
  const { scenario, lanes, actors, seconds, ...size } = optionsSchema.parse(values);
  const warmUpMs = Math.min(5000, seconds * 500);
  const settings = { ...size, lanes, actorsPerLane: actors, warmUpMs, measureMs: seconds * 1000 };
  const result = await measureWakes(settings, say);
  process.stdout.write(`${JSON.stringify({ scenario, settings, result }, null, 2)}\n`);
}

await main(process.argv.slice(2));
