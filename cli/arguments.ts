/** What commander parsed, as the commands read it; and numbers on the command line. */
import { UsageError, type Arguments, type OptionFacts } from './command.ts';

/** Of commands that list: what all namespaces have, each with its own. */
export const allNamespaces = {
  'all-namespaces': { type: 'boolean', short: 'A', help: 'of every namespace, with a token that is bound to none' },
} as const satisfies Record<string, OptionFacts>;

/** Every command has these. */
export const commonOptions = {
  output: {
    type: 'string',
    short: 'o',
    value: 'format',
    choices: ['table', 'json', 'yaml'],
    help: 'how to print data',
  },
  namespace: {
    type: 'string',
    short: 'n',
    value: 'name',
    help: 'where actors and templates are (DORMOUSE_NAMESPACE, or that of the token, or default)',
  },
  quiet: { type: 'boolean', short: 'q', help: 'print ids only' },
  url: { type: 'string', value: 'url', help: 'where the api answers (DORMOUSE_URL, or http://127.0.0.1:7070)' },
} as const satisfies Record<string, OptionFacts>;

export type ParsedOptions = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** `positionals` in the order of the command's own, undefined where they were left out. */
export function argumentsOf(
  names: readonly string[],
  positionals: readonly (string | readonly string[] | undefined)[],
  values: ParsedOptions,
): Arguments {
  const given = new Map(names.map((name, index) => [name.replace(/[<>[\].]/g, ''), positionals[index]]));
  const textOf = (name: string): string | undefined => {
    const value = given.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  const texts = (name: string): string[] => [values[name] ?? []].flat().filter((value) => typeof value === 'string');
  return {
    optional: textOf,
    required(name) {
      const value = textOf(name);
      if (value === undefined) throw new UsageError(`<${name}> is missing`);
      return value;
    },
    rest: (name) => [given.get(name) ?? []].flat(),
    option: (name) => texts(name).at(-1),
    options: texts,
    flag: (name) => values[name] === true,
  };
}

/** `--timeout 30` and the like. */
export function positiveNumber(args: Arguments, option: string): number | undefined {
  const text = args.option(option);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new UsageError(`--${option} takes a number above 0, not ${text}`);
  return value;
}
