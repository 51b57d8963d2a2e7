/**
 * The commander program, made from the table of commands. Its errors come out as `UsageError`; its help is commander's,
 * with our example behind it.
 */
import { Command as Program, CommanderError, Option } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { argumentsOf, commonOptions, type ParsedOptions } from './arguments.ts';
import { UsageError, type Arguments, type Command, type OptionFacts } from './command.ts';
import { exitCodeText } from './exit-code.ts';
import { programs } from './programs.ts';

export type RunCommand = (command: Command, args: Arguments) => Promise<number>;

/** Parses the words and runs what they name. Returns the exit code; throws `UsageError` with the usage of the command. */
export async function runProgram(
  commands: readonly Command[],
  words: readonly string[],
  run: RunCommand,
): Promise<number> {
  let code = 0;
  const program = buildProgram(commands, async (command, args) => {
    code = await run(command, args);
    return code;
  });
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0; // help was asked for
    throw new UsageError(error.message.replace(/^error: /, ''), { cause: error });
  }
  return code;
}

const groups: Readonly<Record<string, string>> = {
  actor: 'Create actors, look at them, wake them, put them to sleep',
  template: 'The recipes that actors are made from',
  node: 'Take a node out of service and back',
  webhook: 'Have events sent to an address',
  token: 'Say who may call the api, and what for',
};

export function buildProgram(commands: readonly Command[], run: RunCommand): Program {
  const program = quiet(new Program('dormouse'))
    .description('Actors that sleep in an object store until they are called.')
    .enablePositionalOptions()
    .version(manifest.version, '-V, --version', 'show the version')
    .addHelpText('after', `\n"dormouse <command> --help" explains one.\n\n${exitCodeText}`);
  for (const command of commands) {
    const words = command.name.split(' ');
    const name = words.at(-1) ?? '';
    const [group] = words.length > 1 ? words : [];
    addCommand(group === undefined ? program : groupOf(program, group), name, command, run);
  }
  for (const { name, summary } of programs) quiet(program.command(name)).description(summary);
  return program;
}

/** Nothing is written to standard error and nothing exits here: main.ts does both. */
const quiet = (program: Program): Program =>
  program
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .helpCommand(false);

function groupOf(program: Program, name: string): Program {
  const existing = program.commands.find((command) => command.name() === name);
  if (existing !== undefined) return existing;
  const group = quiet(program.command(name)).description(groups[name] ?? '');
  // Whoever writes "actors list" means it; "nodes" is a command of its own.
  if (name !== 'node') group.alias(`${name}s`);
  group.action((_options: unknown, command: Program) => {
    const [word] = command.args;
    const what = word === undefined ? 'a command is missing' : `no such command: ${name} ${word}`;
    throw new UsageError(`${what}; there are: ${command.commands.map((sub) => sub.name()).join(', ')}`);
  });
  return group.allowExcessArguments();
}

function addCommand(parent: Program, name: string, facts: Command, run: RunCommand): void {
  const command = quiet(parent.command(name)).description(facts.summary).allowExcessArguments(false);
  const positionals = facts.positionals ?? [];
  for (const positional of positionals) command.argument(positional);
  // What is meant for a program in an actor is not ours to parse.
  if (positionals.at(-1)?.includes('...') === true) command.passThroughOptions();
  const options: Readonly<Record<string, OptionFacts>> = { ...facts.options, ...commonOptions };
  for (const [option, about] of Object.entries(options)) command.addOption(optionOf(option, about));
  command.addHelpText('after', `\nExample:\n  ${facts.example}`);
  command.action(async () => {
    const values = Object.fromEntries(
      command.options.map((option) => {
        const value: unknown = command.getOptionValue(option.attributeName());
        // Of `--no-wake` commander makes a `wake` that is true unless it is given.
        return [option.long?.slice(2) ?? '', option.negate ? value === false : value];
      }),
    ) as ParsedOptions;
    await run(facts, argumentsOf(positionals, command.processedArgs as (string | string[])[], values));
  });
}

function optionOf(name: string, { type, short, value, multiple, choices, help }: OptionFacts): Option {
  const flags = `${short === undefined ? '' : `-${short}, `}--${name}`;
  const option = new Option(type === 'boolean' ? flags : `${flags} <${value ?? 'text'}>`, help);
  if (choices !== undefined) option.choices(choices);
  // Not commander's variadic options: those would eat the positionals behind them.
  if (multiple === true) option.argParser((text: string, before: string[] | undefined) => [...(before ?? []), text]);
  return option;
}
