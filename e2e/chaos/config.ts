/** The command line of a chaos run. Failure: `invalid-input` with one field error per wrong option. */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { faultNames, type FaultName } from './faults/names.ts';
import type { RunOptions } from './run.ts';

export interface Configuration extends Omit<RunOptions, 'say'> {
  /** Where the whole evidence goes. */
  readonly json: string | undefined;
  /** Copies of the platform's logs. */
  readonly logs: string | undefined;
}

/** A run, or instead of one: only help, or only the removal of what dead runs (or the one named) left behind. */
export type Wish =
  | { readonly kind: 'run'; readonly configuration: Configuration }
  | { readonly kind: 'sweep'; readonly run: string | undefined }
  | { readonly kind: 'help' };

/** What needs nothing but the local stack. */
const processFaults = [
  ...['kill-api', 'kill-worker', 'kill-vmm', 'kill-virtiofsd', 'kill-redis'],
  ...['stop-api', 'stop-worker', 'stop-vmm', 'stop-virtiofsd', 'stop-redis'],
] as const satisfies readonly FaultName[];

export const helpText = `Breaks a platform of its own while clients count, and checks that its promises held.

Usage: npm run chaos -- [options]

  --seed number         repeats the plan of an earlier run (1)
  --duration-s number   how long faults strike (60)
  --actors number       (4)
  --clients number      (8)
  --nodes number        (2)
  --lease-ms number     of the nodes' leases (3000)
  --faults a,b,c        all, processes (default), or names out of:
                        ${faultNames.join(', ')}
  --sweep               only removes what runs left whose driver is dead; every run begins with that
  --json file           also write everything that was seen
  --logs folder         also keep the logs of all processes

Exit codes: 0 no violation, 1 a violation (or a run too quiet to prove anything), 2 the command line is wrong.`;

const count = (most: number) => z.coerce.number().int().min(1).max(most);
const optionsSchema = z.object({
  seed: z.coerce
    .number()
    .int()
    .min(0)
    .max(2 ** 31)
    .default(1),
  'duration-s': count(86_400).default(60),
  actors: count(100).default(4),
  clients: count(100).default(8),
  nodes: count(16).default(2),
  'lease-ms': z.coerce.number().int().min(1000).max(60_000).default(3000),
  faults: z.string().default('processes').transform(namesOf),
  json: z.string().min(1).optional(),
  logs: z.string().min(1).optional(),
});

function namesOf(text: string, context: z.RefinementCtx): [FaultName, ...FaultName[]] {
  const names = text === 'all' ? faultNames : text === 'processes' ? processFaults : text.split(',');
  const known = names.filter((name): name is FaultName => (faultNames as readonly string[]).includes(name));
  const [first, ...others] = known;
  if (first !== undefined && known.length === names.length) return [first, ...others];
  context.addIssue({ code: 'custom', message: `all, processes, or names out of ${faultNames.join(', ')}` });
  return z.NEVER;
}

export function readWish(words: readonly string[]): Wish {
  const { values, positionals } = parseWords(words);
  const { help, sweep, ...given } = values;
  if (help === true) return { kind: 'help' };
  if (sweep === true) return { kind: 'sweep', run: positionals[0] };
  const parsed = optionsSchema.safeParse(given);
  if (!parsed.success) throw invalid(parsed.error);
  const { 'duration-s': seconds, 'lease-ms': leaseMs, json, logs, ...rest } = parsed.data;
  return { kind: 'run', configuration: { ...rest, durationMs: seconds * 1000, leaseMs, json, logs } };
}

function parseWords(words: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = { seed: text, 'duration-s': text, actors: text, clients: text, nodes: text } as const;
  const more = { 'lease-ms': text, faults: text, json: text, logs: text, sweep: flag } as const;
  try {
    return parseArgs({
      args: [...words],
      options: { ...options, ...more, help: { ...flag, short: 'h' } },
      allowPositionals: words.includes('--sweep'),
    });
  } catch (cause) {
    throw new DormouseError('invalid-input', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function invalid(error: z.ZodError): DormouseError {
  const errors = error.issues.map((issue) => ({ field: `--${issue.path.join('.')}`, message: issue.message }));
  const list = errors.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return new DormouseError('invalid-input', list, { errors });
}
