/**
 * What a command is: its words, its options, and one function. The table in commands.ts lists them all; parsing and help
 * read nothing but these facts.
 */
import type { ParseArgsOptionDescriptor } from 'node:util';
import type { DormouseClient } from '../sdk/client.ts';
import type { Terminal } from './terminal.ts';

export interface OptionFacts extends ParseArgsOptionDescriptor {
  readonly help: string;
  /** How the help names the value, e.g. `name=value`. */
  readonly value?: string;
}

export interface Arguments {
  /** A positional by the name it has in the usage, e.g. `id`. */
  optional(name: string): string | undefined;
  required(name: string): string;
  option(name: string): string | undefined;
  /** A repeatable option. */
  options(name: string): readonly string[];
  flag(name: string): boolean;
}

export interface Context {
  readonly client: DormouseClient;
  readonly arguments: Arguments;
  readonly terminal: Terminal;
}

export interface Command {
  /** The words that call it, e.g. `actor create`. */
  readonly name: string;
  readonly summary: string;
  /** `<name>` is required, `[name]` is not. */
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
