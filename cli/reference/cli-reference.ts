/** docs/cli.md, made from the commander program: its arguments, options, examples and exit codes. */
import type { Command as Program } from 'commander';
import { commonOptions } from '../arguments.ts';
import { commands } from '../commands.ts';
import { exitCodeTable } from '../exit-code.ts';
import { buildProgram } from '../program.ts';
import { programs } from '../programs.ts';

const head = `# The command line

<!-- Generated from cli/: \`npm run generate\`. -->

\`npx dormouse <command>\`, or \`dormouse\` where the package is installed. Data goes to standard output, everything else to
standard error: progress, hints, errors, and a live line of phases while an actor wakes. Tables fit the terminal; a pipe
gets them whole. Colours are for terminals only, and \`NO_COLOR\` turns them off.

\`DORMOUSE_URL\` and \`DORMOUSE_TOKEN\` say where the api answers and let you in; \`DORMOUSE_NAMESPACE\` is for \`-n\`.
`;

export function cliReference(): string {
  const program = buildProgram(commands, () => Promise.resolve(0));
  const examples = new Map(commands.map(({ name, example }) => [name, example]));
  const sections = leavesOf(program, []).flatMap(([name, command]) => {
    const example = examples.get(name);
    return example === undefined ? [] : [section(name, command, example)];
  });
  return [head, everyCommand(program), exits, ...sections, own].join('\n');
}

/** The commands that do something, with the words that call them. */
function leavesOf(program: Program, words: readonly string[]): [name: string, command: Program][] {
  return program.commands.flatMap((command): [string, Program][] => {
    const named = [...words, command.name()];
    return command.commands.length > 0 ? leavesOf(command, named) : [[named.join(' '), command]];
  });
}

function section(name: string, command: Program, example: string): string {
  const own = command.options.filter((option) => !((option.long?.slice(2) ?? '') in commonOptions));
  const words = command.registeredArguments.map((argument) => {
    const shown = `${argument.name()}${argument.variadic ? '...' : ''}`;
    return argument.required ? `<${shown}>` : `[${shown}]`;
  });
  const rows = own.map(({ flags, description }) => `| \`${flags.replaceAll('|', '\\|')}\` | ${description} |`);
  const table = rows.length === 0 ? '' : `\n| option | |\n|---|---|\n${rows.join('\n')}\n`;
  return `## \`dormouse ${[name, ...words].join(' ')}\`

${command.description()}.
${table}
\`\`\`
${example}
\`\`\`
`;
}

function everyCommand(program: Program): string {
  const [any] = leavesOf(program, []);
  const shared = (any?.[1].options ?? []).filter((option) => (option.long?.slice(2) ?? '') in commonOptions);
  const rows = shared.map(({ flags, description, argChoices }) => {
    const choices = argChoices === undefined ? '' : `: ${argChoices.join(', ')}`;
    return `| \`${flags}\` | ${description}${choices} |`;
  });
  return `Every command takes:

| option | |
|---|---|
${rows.join('\n')}
| \`-h, --help\` | explain the command, with an example |
`;
}

const exits = `## Exit codes

${exitCodeTable}
`;

const own = `## Programs of their own

These need no api, or start one. Each explains itself with \`--help\`.

| command | |
|---|---|
${programs.map(({ name, summary }) => `| \`dormouse ${name}\` | ${summary} |`).join('\n')}
`;
