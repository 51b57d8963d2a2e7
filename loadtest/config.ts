/** The command line and the environment of a run. Failure: `invalid-input` with one field error per wrong option. */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { readEnvironment } from '../shared/config/environment.ts';
import { DormouseError } from '../shared/errors/dormouse-error.ts';

export const scenarios = ['cold', 'warm', 'hot', 'all', 'start'] as const;
export type Scenario = (typeof scenarios)[number];

export interface Configuration {
  readonly url: string;
  readonly token: string | undefined;
  readonly scenario: Scenario;
  readonly template: string;
  readonly templateFiles: readonly string[];
  readonly rounds: number;
  readonly calls: number;
  readonly concurrency: number;
  readonly path: string;
  readonly json: string | undefined;
}

export const helpText = `Measures how long calls to actors take, by the kind of their start.

Usage: npm run loadtest -- [options]

  --url url             where the api answers (DORMOUSE_URL, or http://127.0.0.1:7070)
  --scenario name       cold, warm, hot, all (default), or start: compares the cold starts of several templates
  --template name       what the actors are made from (counter)
  --template-file file  for --scenario start, at least two: JSON specifications, each applied under a name of its own
  --rounds number       how often each kind is measured (10)
  --calls number        hot calls in each round (50)
  --concurrency number  hot calls in flight at any time (1)
  --path path           what is called (/)
  --json file           also write everything, each sample included, as JSON

Exit codes: 0 every call did what was asked, 1 some did not, 2 the command line is wrong.`;

const count = z.coerce.number().int().min(1).max(1_000_000);
const optionsSchema = z
  .object({
    url: z.url({ protocol: /^https?$/ }).optional(),
    scenario: z.enum(scenarios).default('all'),
    template: z.string().min(1).default('counter'),
    'template-file': z.array(z.string().min(1)).default([]),
    rounds: count.default(10),
    calls: count.default(50),
    concurrency: count.max(1000).default(1),
    path: z.string().startsWith('/').default('/'),
    json: z.string().min(1).optional(),
  })
  .refine((options) => options.scenario !== 'start' || options['template-file'].length >= 2, {
    path: ['template-file'],
    message: 'needed at least twice with --scenario start',
  });

/** Where `npm start` listens unless it is told otherwise. */
const defaultUrl = 'http://127.0.0.1:7070';

/** Undefined when only help was asked for. */
export function readConfiguration(
  words: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Configuration | undefined {
  const { help, ...given } = parseWords(words);
  if (help === true) return undefined;
  const options = optionsSchema.safeParse(given);
  if (!options.success) throw invalid(options.error);
  const { DORMOUSE_URL, DORMOUSE_TOKEN } = readEnvironment(environment, 'DORMOUSE_URL', 'DORMOUSE_TOKEN');
  const { url = DORMOUSE_URL ?? defaultUrl, json, 'template-file': templateFiles, ...rest } = options.data;
  return { ...rest, url, token: DORMOUSE_TOKEN, json, templateFiles };
}

function parseWords(words: readonly string[]) {
  const text = { type: 'string' } as const;
  const options = { url: text, scenario: text, template: text, rounds: text, calls: text, concurrency: text } as const;
  const more = { path: text, json: text, 'template-file': { ...text, multiple: true } } as const;
  const help = { type: 'boolean', short: 'h' } as const;
  try {
    return parseArgs({ args: [...words], options: { ...options, ...more, help } }).values;
  } catch (cause) {
    throw new DormouseError('invalid-input', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function invalid(error: z.ZodError): DormouseError {
  const errors = error.issues.map((issue) => ({ field: `--${issue.path.join('.')}`, message: issue.message }));
  const list = errors.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return new DormouseError('invalid-input', list, { errors });
}
