/**
 * The command line: finds the command, runs it, and turns what it throws into words and an exit code (1: it did not
 * work, 2: the command line is wrong). The exit code is set, not forced, so that piped output is written out.
 */
import { createClient } from '../sdk/client.ts';
import { findCommand, parseCommandLine } from './arguments.ts';
import { UsageError, type Arguments, type Command } from './command.ts';
import { commands } from './commands.ts';
import { readConfiguration } from './config.ts';
import { describeFailure } from './failure.ts';
import { explain, overview, usage } from './help.ts';
import { createTerminal, type OutputFormat } from './terminal.ts';

// `dormouse events | head -1`: a reader that has seen enough is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  const found = findCommand(commands, words);
  if (found !== undefined) return runCommand(found.command, found.rest);
  if (words.length === 0 || words.includes('--help') || words.includes('-h')) {
    process.stdout.write(`${overview(commands)}\n`);
    return words.length === 0 ? 2 : 0;
  }
  process.stderr.write(`dormouse: no such command: ${words.join(' ')}\n\n${overview(commands)}\n`);
  return 2;
}

async function runCommand(command: Command, words: readonly string[]): Promise<number> {
  try {
    const parsed = parseCommandLine(command, words);
    if (parsed.flag('help')) {
      process.stdout.write(`${explain(command)}\n`);
      return 0;
    }
    return await runParsed(command, parsed);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`dormouse ${command.name}: ${error.message}\nUsage: ${usage(command)}\n`);
    return 2;
  }
}

async function runParsed(command: Command, parsed: Arguments): Promise<number> {
  const terminal = createTerminal(outputFormat(parsed));
  const { url, token } = readConfiguration();
  try {
    const client = createClient({ url: checkedUrl(parsed.option('url') ?? url), token });
    return (await command.run({ client, arguments: parsed, terminal })) ?? 0;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    terminal.say(`dormouse ${command.name}: ${describeFailure(error)}`);
    return 1;
  } finally {
    terminal.settle();
  }
}

function outputFormat(parsed: Arguments): OutputFormat {
  const format = parsed.option('output');
  if (format === 'table' || format === 'json') return format;
  throw new UsageError(`--output is table or json, not ${format ?? 'nothing'}`);
}

function checkedUrl(url: string): string {
  if (URL.canParse(url) && /^https?:/.test(url)) return url;
  throw new UsageError(`the address of the api is no http(s) URL: ${url}`);
}
