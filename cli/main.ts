/**
 * The command line: runs the command that was named, and turns what it throws into words on standard error and an exit
 * code (exit-code.ts). The exit code is set, not forced, so that piped output is written out. Ctrl-C once ends what is
 * being waited for; a second one ends the process as it stands.
 */
import { WebSocket } from 'ws';
import { createClient } from '../sdk/client.ts';
import { UsageError, type Arguments, type Command } from './command.ts';
import { commands } from './commands.ts';
import { readConfiguration } from './config.ts';
import { exitCodeOf, exitCodes } from './exit-code.ts';
import { describeFailure } from './failure.ts';
import { buildProgram, runProgram } from './program.ts';
import { createTerminal, type OutputFormat } from './terminal.ts';

// `dormouse events | head -1`: a reader that has seen enough is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  if (words.length === 0) {
    process.stdout.write(buildProgram(commands, () => Promise.resolve(0)).helpInformation());
    return exitCodes.usage;
  }
  try {
    return await runProgram(commands, words, runCommand);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`dormouse: ${error.message}\nTry "dormouse --help", or "--help" behind a command.\n`);
    return exitCodes.usage;
  }
}

async function runCommand(command: Command, args: Arguments): Promise<number> {
  const configuration = readConfiguration();
  const format = (args.option('output') ?? 'table') as OutputFormat;
  const terminal = createTerminal({ format, quiet: args.flag('quiet'), colours: configuration.colours });
  const url = checkedUrl(args.option('url') ?? configuration.url);
  const { token } = configuration;
  const namespace = args.flag('all-namespaces') ? '*' : (args.option('namespace') ?? configuration.namespace);
  const interrupt = interruption();
  try {
    const client = createClient({ url, token, namespace, WebSocket });
    return (await command.run({ client, arguments: args, terminal, signal: interrupt })) ?? exitCodes.done;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (interrupt.aborted) return exitCodes.interrupted;
    terminal.say(`dormouse ${command.name}: ${describeFailure(error)}`);
    return exitCodeOf(error);
  } finally {
    terminal.settle();
  }
}

function interruption(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort(new Error('interrupted')));
  return controller.signal;
}

function checkedUrl(url: string): string {
  if (URL.canParse(url) && /^https?:/.test(url)) return url;
  throw new UsageError(`the address of the api is no http(s) URL: ${url}`);
}
