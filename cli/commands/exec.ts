/**
 * `dormouse exec`: runs a program in an actor and ends with its exit code. With `-t` the terminal is the program's: keys go
 * to it as they are typed (Ctrl-C too), and it is told of a new size. The terminal is given back however it ends.
 */
import { once } from 'node:events';
import type { ReadStream } from 'node:tty';
import type { ExecSession, TerminalSize } from '../../sdk/exec.ts';
import { UsageError, type Command, type Context } from '../command.ts';
import { watchingWake } from './watch-wake.ts';

export const execInActor: Command = {
  name: 'exec',
  summary: 'Run a program in an actor, waking it if it sleeps; ends with the exit code of the program',
  positionals: ['<id>', '<command...>'],
  options: {
    interactive: { type: 'boolean', short: 'i', help: 'pass standard input on' },
    tty: { type: 'boolean', short: 't', help: 'give the program a terminal: this one' },
    container: { type: 'string', short: 'c', value: 'name', help: "not in the template's first container" },
    env: { type: 'string', short: 'e', multiple: true, value: 'NAME=value', help: 'may be given several times' },
    workdir: { type: 'string', short: 'w', value: 'folder', help: 'where the program starts' },
  },
  example: 'dormouse exec -it alice -- sh -l',
  async run(context) {
    const { arguments: args, client, signal } = context;
    const id = args.required('id');
    const terminal = args.flag('tty') ? ourTerminal() : undefined;
    const options = {
      container: args.option('container'),
      env: args.options('env'),
      cwd: args.option('workdir'),
      terminal: terminal && sizeOf(),
      signal,
    };
    const command = args.rest('command').filter((word, index) => index > 0 || word !== '--');
    await using session = await watchingWake(context, id, () => client.actor(id).session(command, options));
    using _given = terminal && giveTerminal(terminal, session);
    if (args.flag('interactive')) void passInput(session, terminal !== undefined);
    else if (terminal === undefined) session.endInput();
    await passOutput(context, session);
    return await session.exitCode;
  },
};

function ourTerminal(): ReadStream {
  if (process.stdin.isTTY && process.stdout.isTTY) return process.stdin;
  throw new UsageError('-t needs a terminal, and standard input or output is none');
}

const sizeOf = (): TerminalSize => ({ columns: process.stdout.columns, rows: process.stdout.rows });

/** Until disposed. */
function giveTerminal(input: ReadStream, session: ExecSession): Disposable {
  const resize = (): void => session.resize(sizeOf());
  input.setRawMode(true);
  process.stdout.on('resize', resize);
  return {
    [Symbol.dispose]() {
      process.stdout.off('resize', resize);
      input.setRawMode(false);
    },
  };
}

/** Does not keep the process alive: the program's end is ours. */
async function passInput(session: ExecSession, isTerminal: boolean): Promise<void> {
  const { stdin } = process;
  const over = session.exitCode.then(
    () => stdin.destroy(),
    () => stdin.destroy(),
  );
  try {
    for await (const chunk of stdin) session.write(chunk as Uint8Array);
    if (!isTerminal) session.endInput();
  } catch {
    await over; // our input was closed because the program has ended
  }
}

async function passOutput({ terminal }: Context, session: ExecSession): Promise<void> {
  for await (const { stream, data } of session.output) {
    if (stream === 'stdout') await terminal.bytes(data);
    else if (!process.stderr.write(data)) await once(process.stderr, 'drain');
  }
}
