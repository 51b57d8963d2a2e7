/** The command line and the environment of a run. Failure: `invalid-input` with one field error per wrong option. */
import path from 'node:path';
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { z } from 'zod';
import { readEnvironment, redisUrlSchema } from '../shared/config/environment.ts';
import { DormouseError } from '../shared/errors/dormouse-error.ts';

export const scenarios = [
  ...['all', 'cold', 'warm', 'hot', 'start'],
  ...['mixed', 'burst', 'staggered', 'parallel-resume', 'cross-node', 'memory', 'ladder', 'churn'],
] as const;

const count = z.coerce.number().int().min(1).max(1_000_000);
const positive = z.coerce.number().positive().max(1_000_000);
const listOf = (item: z.ZodType<number>) =>
  z
    .string()
    .transform((text): unknown => text.split(','))
    .pipe(z.array(item).min(1).max(16));
const ladder = z
  .string()
  .transform((text): unknown => text.split(','))
  .pipe(z.tuple([positive, z.coerce.number().gt(1).max(10), count.max(50)]));
const command = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'no JSON: write ["program","argument"]' });
      return z.NEVER;
    }
  })
  .pipe(z.array(z.string()).min(1));

const optionsSchema = z.object({
  compare: z.string().min(1).optional(),
  url: z.url({ protocol: /^https?$/ }).optional(),
  scenario: z.enum(scenarios).default('all'),
  template: z.string().min(1).default('counter'),
  'template-file': z.array(z.string().min(1)).default([]),
  path: z.string().startsWith('/').default('/'),
  rounds: count.default(10),
  'warm-up': z.coerce.number().int().min(0).max(1000).default(1),
  calls: count.default(50),
  rate: positive.default(20),
  actors: count.max(100_000).default(8),
  duration: positive.default(60),
  gap: z.coerce.number().min(0).max(3_600_000).default(200),
  zipf: z.coerce.number().min(0).max(10).default(1.1),
  idle: positive.default(2000),
  parallel: listOf(count.max(1000)).prefault('1,2,4,8'),
  dirty: listOf(count.max(65_536)).prefault('1,16,64'),
  'dirty-path': z.string().startsWith('/').default('/allocate?mib={mib}'),
  kind: z.enum(['hot', 'warm']).default('hot'),
  ladder: ladder.prefault('10,1.5,12'),
  step: positive.default(10),
  'p50-bound': positive.optional(),
  seed: z.coerce.number().int().min(0).default(1),
  local: z.boolean().default(false),
  home: z.string().min(1).optional(),
  'redis-url': redisUrlSchema.optional(),
  store: z.string().min(1).optional(),
  plain: z.boolean().default(false),
  'sleep-command': command.optional(),
  'wake-command': command.optional(),
  json: z.string().min(1).optional(),
  html: z.string().min(1).optional(),
  png: z.string().min(1).optional(),
  chromium: z.string().min(1).optional(),
});

type Options = z.infer<typeof optionsSchema>;

export interface Configuration extends Omit<Options, 'url' | 'compare' | 'home' | 'p50-bound'> {
  readonly url: string;
  readonly token: string | undefined;
  readonly home: string;
  readonly 'p50-bound': number;
  /** Two results to put side by side; then nothing is measured. */
  readonly compare: readonly [string, string] | undefined;
}

/** Where `npm start` listens unless it is told otherwise. */
const defaultUrl = 'http://127.0.0.1:7070';
/** A wake is a matter of hundreds of milliseconds, a hot call of a few. */
const defaultP50BoundMs = { hot: 100, warm: 1000 } as const;

/** Undefined when only help was asked for. */
export function readConfiguration(
  words: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Configuration | undefined {
  const { values, positionals } = parseWords(words);
  const { help, ...given } = values;
  if (help === true) return undefined;
  const parsed = optionsSchema.safeParse(given);
  if (!parsed.success) {
    throw invalid(parsed.error.issues.map((issue) => ({ field: issue.path[0], message: issue.message })));
  }
  const options = parsed.data;
  const wrong = contradictions(options, positionals);
  if (wrong.length > 0) throw invalid(wrong);
  const settings = readEnvironment(environment, 'DORMOUSE_URL', 'DORMOUSE_TOKEN', 'DORMOUSE_HOME');
  return {
    ...options,
    url: options.url ?? settings.DORMOUSE_URL ?? defaultUrl,
    token: settings.DORMOUSE_TOKEN,
    home: path.resolve(options.home ?? settings.DORMOUSE_HOME),
    'p50-bound': options['p50-bound'] ?? defaultP50BoundMs[options.kind],
    compare: options.compare === undefined ? undefined : [options.compare, positionals[0] ?? ''],
  };
}

/** Of what a plain endpoint can do, all but these put it to sleep. */
const withoutSleep = (options: Options): boolean =>
  options.scenario === 'hot' || (options.scenario === 'ladder' && options.kind === 'hot');

const anyEndpoint: readonly string[] = ['all', 'warm', 'hot', 'mixed', 'burst', 'staggered', 'ladder', 'churn'];

interface Wrong {
  readonly field: PropertyKey | undefined;
  readonly message: string;
}

function contradictions(options: Options, positionals: readonly string[]): Wrong[] {
  const wrong: Wrong[] = [];
  const refuse = (field: keyof Options, message: string) => wrong.push({ field, message });
  if (positionals.length !== (options.compare === undefined ? 0 : 1)) {
    refuse('compare', `takes exactly two files, and nothing else stands alone: ${positionals.join(' ')}`);
  }
  if (options.scenario === 'start' && options['template-file'].length < 2) {
    refuse('template-file', 'needed at least twice with --scenario start');
  }
  if (options.plain && options.url === undefined) refuse('url', 'needed with --plain');
  if (options.plain && !anyEndpoint.includes(options.scenario)) {
    refuse('scenario', `${options.scenario} works with Dormouse only`);
  }
  if (options.plain && !withoutSleep(options) && options['sleep-command'] === undefined) {
    refuse('sleep-command', `needed: ${options.scenario} puts endpoints to sleep`);
  }
  if (!options.plain && (options['sleep-command'] ?? options['wake-command']) !== undefined) {
    refuse('plain', 'needed with --sleep-command and --wake-command');
  }
  return wrong;
}

function parseWords(words: readonly string[]) {
  const options: ParseArgsOptionsConfig = { help: { type: 'boolean', short: 'h' } };
  for (const name of Object.keys(optionsSchema.shape)) options[name] = { type: 'string' };
  for (const name of ['local', 'plain']) options[name] = { type: 'boolean' };
  options['template-file'] = { type: 'string', multiple: true };
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true });
  } catch (cause) {
    throw new DormouseError('invalid-input', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function invalid(wrong: readonly Wrong[]): DormouseError {
  const errors = wrong.map(({ field, message }) => ({ field: `--${String(field)}`, message }));
  const list = errors.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return new DormouseError('invalid-input', list, { errors });
}
