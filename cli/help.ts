/** Help texts, made from the facts of the commands. */
import { commonOptions } from './arguments.ts';
import type { Command, OptionFacts } from './command.ts';
import { formatTable } from './table.ts';

/** Programs of their own (dormouse.mjs), with their own help. */
const programs = [
  { name: 'fsck', summary: 'Check every object of a store; needs no api' },
  { name: 'loadtest', summary: 'Measure cold, warm and hot calls, of Dormouse or of another platform' },
];

export function overview(commands: readonly Command[]): string {
  const listed: readonly Pick<Command, 'name' | 'summary'>[] = [...commands, ...programs];
  const rows = formatTable(listed, [
    ['', (command) => `  dormouse ${command.name}`],
    ['', (command) => command.summary],
  ]);
  return `Usage: dormouse <command> [options]

${rows}

"dormouse <command> --help" explains one. The api's address is --url or DORMOUSE_URL, its token DORMOUSE_TOKEN.
Exit codes: 0 done, 1 it did not work, 2 the command line is wrong.`;
}

export function explain(command: Command): string {
  const options = Object.entries<OptionFacts>({ ...command.options, ...commonOptions });
  const rows = formatTable(options, [
    ['', ([name, facts]) => `  ${optionUsage(name, facts)}`],
    ['', ([, facts]) => facts.help],
  ]);
  return `${command.summary}

Usage: ${usage(command)}

Options:
${rows}

Example:
  ${command.example}`;
}

export const usage = (command: Command): string =>
  ['dormouse', command.name, ...(command.positionals ?? []), '[options]'].join(' ');

function optionUsage(name: string, facts: OptionFacts): string {
  const short = facts.short === undefined ? '' : `-${facts.short}, `;
  const value = facts.type === 'string' ? ` ${facts.value ?? 'text'}` : '';
  return `${short}--${name}${value}`;
}
