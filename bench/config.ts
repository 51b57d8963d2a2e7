/** The command line of a run. Failure: `invalid-input` with one field error per wrong option. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { readEnvironment } from '../shared/config/environment.ts';
import { DormouseError } from '../shared/errors/dormouse-error.ts';

export const caseNames = [
  'wake',
  'first',
  'suspend',
  'delta',
  'hot',
  'density',
  'files',
  'vmm',
  'idle',
  'concurrency',
  'stall',
] as const;
export type CaseName = (typeof caseNames)[number];
export const templateNames = ['counter', 'node-counter'] as const;
export type TemplateName = (typeof templateNames)[number];

export interface Settings {
  readonly cases: readonly CaseName[];
  readonly templates: readonly TemplateName[];
  readonly rounds: number;
  readonly quick: boolean;
  /** Memory of the large actor whose suspend the others should not notice. */
  readonly largeMiB: number;
}

export interface Configuration {
  readonly settings: Settings;
  readonly assetsFolder: string;
  /** Print the page's table of targets instead of the readable one. */
  readonly markdown: boolean;
  readonly json: string | undefined;
}

export const helpText = `Measures the platform beside the bare tools, in one run, in alternating order.

Usage: npm run bench -- [options]

  --case names          which cases, separated by commas (all): ${caseNames.join(', ')}
  --template names      ${templateNames.join(',')}
  --rounds number       how often each thing is measured (15)
  --large-mib number    memory of the large actor of the case stall (1024)
  --quick               a smoke run: two rounds, the counter, small sizes
  --json file           also write everything as JSON
  --markdown            print the table of targets as docs/performance.md has it

Exit codes: 0 everything was measured, 1 something was not, 2 the command line is wrong.`;

const count = z.coerce.number().int().min(1).max(1_000_000);
const listOf = <Name extends string>(names: readonly [Name, ...Name[]]) =>
  z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(names)).min(1));

const optionsSchema = z.object({
  case: listOf(caseNames).optional(),
  template: listOf(templateNames).optional(),
  rounds: count.optional(),
  'large-mib': count.min(256).max(65_536).default(1024),
  quick: z.boolean().default(false),
  json: z.string().min(1).optional(),
  markdown: z.boolean().default(false),
});

const defaultRounds = 15;
const quickRounds = 2;

/** Undefined when only help was asked for. */
export function readConfiguration(
  words: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Configuration | undefined {
  const { help, ...given } = parseWords(words);
  if (help === true) return undefined;
  const parsed = optionsSchema.safeParse(given);
  if (!parsed.success) throw invalid(parsed.error);
  const { quick, rounds, json, markdown } = parsed.data;
  const { DORMOUSE_ASSETS, DORMOUSE_HOME } = readEnvironment(environment, 'DORMOUSE_ASSETS', 'DORMOUSE_HOME');
  return {
    settings: {
      cases: parsed.data.case ?? caseNames,
      templates: parsed.data.template ?? (quick ? ['counter'] : templateNames),
      rounds: rounds ?? (quick ? quickRounds : defaultRounds),
      quick,
      largeMiB: parsed.data['large-mib'],
    },
    assetsFolder: DORMOUSE_ASSETS ?? path.join(DORMOUSE_HOME, 'assets'),
    markdown,
    json,
  };
}

function parseWords(words: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const valued = { case: text, template: text, rounds: text, json: text, 'large-mib': text } as const;
  const options = { ...valued, quick: flag, markdown: flag } as const;
  try {
    return parseArgs({ args: [...words], options: { ...options, help: { ...flag, short: 'h' } } }).values;
  } catch (cause) {
    throw new DormouseError('invalid-input', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function invalid(error: z.ZodError): DormouseError {
  const errors = error.issues.map((issue) => ({ field: `--${issue.path.join('.')}`, message: issue.message }));
  const list = errors.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return new DormouseError('invalid-input', list, { errors });
}

/** Vendor SDKs in the platform's processes look for credentials in the environment, which those inherit from us. */
export const lendEnvironment = (variables: Readonly<Record<string, string>>): void =>
  void Object.assign(process.env, variables);
