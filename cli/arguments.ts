/** From the words of the command line to a command and its arguments. Throws `UsageError` for anything unknown or missing. */
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { UsageError, type Arguments, type Command, type OptionFacts } from './command.ts';

/** Every command has these. */
export const commonOptions = {
  output: { type: 'string', short: 'o', default: 'table', value: 'table|json', help: 'how to print data' },
  url: { type: 'string', value: 'url', help: 'where the api answers (DORMOUSE_URL, or http://127.0.0.1:7070)' },
  help: { type: 'boolean', short: 'h', help: 'explain this command' },
} as const satisfies Record<string, OptionFacts>;

type Values = Record<string, string | boolean | (string | boolean)[] | undefined>;

/** The longest command that the leading words name. */
export function findCommand(
  commands: readonly Command[],
  words: readonly string[],
): { readonly command: Command; readonly rest: readonly string[] } | undefined {
  const matches = commands.filter((command) => command.name.split(' ').every((word, index) => words[index] === word));
  const command = matches.sort((a, b) => b.name.length - a.name.length)[0];
  return command && { command, rest: words.slice(command.name.split(' ').length) };
}

export function parseCommandLine(command: Command, words: readonly string[]): Arguments {
  const { values, positionals } = parseWords({ ...commonOptions, ...command.options }, words);
  const names = command.positionals ?? [];
  const extra = positionals[names.length];
  if (extra !== undefined) throw new UsageError(`unexpected argument ${JSON.stringify(extra)}`);
  const given = new Map(names.map((name, index) => [bare(name), positionals[index]]));
  const missing = names.find((name) => name.startsWith('<') && given.get(bare(name)) === undefined);
  if (missing !== undefined && values['help'] !== true) throw new UsageError(`${missing} is missing`);
  return accessors(given, values);
}

const bare = (name: string): string => name.replace(/[<>[\]]/g, '');

function accessors(given: ReadonlyMap<string, string | undefined>, values: Values): Arguments {
  const texts = (name: string): string[] => [values[name] ?? []].flat().filter((value) => typeof value === 'string');
  return {
    optional: (name) => given.get(name),
    required(name) {
      const value = given.get(name);
      if (value === undefined) throw new UsageError(`<${name}> is missing`);
      return value;
    },
    option: (name) => texts(name).at(-1),
    options: texts,
    flag: (name) => values[name] === true,
  };
}

function parseWords(
  facts: Record<string, OptionFacts>,
  words: readonly string[],
): { readonly values: Values; readonly positionals: readonly string[] } {
  const options: ParseArgsOptionsConfig = facts;
  try {
    const { values, positionals } = parseArgs({ args: [...words], options, allowPositionals: true, strict: true });
    return { values, positionals };
  } catch (error) {
    // parseArgs names the option and advises; its second sentence is about `--` and helps nobody here.
    const message = error instanceof Error ? (error.message.split('. ')[0] ?? error.message) : String(error);
    throw new UsageError(message.charAt(0).toLowerCase() + message.slice(1), { cause: error });
  }
}

/** `--timeout 30` and the like. */
export function positiveNumber(args: Arguments, option: string): number | undefined {
  const text = args.option(option);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new UsageError(`--${option} takes a number above 0, not ${text}`);
  return value;
}
