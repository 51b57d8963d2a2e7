/**
 * What a command is: its words, its options, and one function. The table in commands.ts lists them all; the program
 * (program.ts), the completion and docs/cli.md are made from these facts.
 */
import type { DormouseClient } from '../sdk/client.ts';
import type { Terminal } from './terminal.ts';

export interface OptionFacts {
  readonly type: 'string' | 'boolean';
  readonly help: string;
  readonly short?: string;
  /** How the help names the value, e.g. `name=value`. */
  readonly value?: string;
  /** May be given several times. */
  readonly multiple?: boolean;
  readonly choices?: readonly string[];
}

export interface Arguments {
  /** A positional by the name it has in the usage, e.g. `id`. */
  optional(name: string): string | undefined;
  required(name: string): string;
  /** What a last positional `<name...>` took. */
  rest(name: string): readonly string[];
  option(name: string): string | undefined;
  /** A repeatable option. */
  options(name: string): readonly string[];
  flag(name: string): boolean;
}

export interface Context {
  readonly client: DormouseClient;
  readonly arguments: Arguments;
  readonly terminal: Terminal;
  /** Ends when the user presses Ctrl-C. */
  readonly signal: AbortSignal;
}

export interface Command {
  /** The words that call it, e.g. `actor create`. */
  readonly name: string;
  readonly summary: string;
  /** `<name>` is required, `[name]` is not; a last `<name...>` takes all that is left, as it stands. */
  readonly positionals?: readonly string[];
  readonly options?: Readonly<Record<string, OptionFacts>>;
  readonly example: string;
  /** Returns the exit code when it is not 0. */
  run(context: Context): Promise<number | undefined>;
}

/** The caller wrote something that cannot be meant: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
