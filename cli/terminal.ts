/**
 * Where words go: data to standard output, everything else (progress, hints, errors) to standard error, so that the
 * output of any command can be piped. With `-o json` the data is JSON and nothing but JSON.
 */
import { formatTable, type Column } from './table.ts';

export type OutputFormat = 'table' | 'json';

export interface Terminal {
  readonly format: OutputFormat;
  /** One thing: a list of its fields, or its JSON. */
  show(value: object, fields: Readonly<Record<string, unknown>>): void;
  /** A list: a table, or the JSON `{items: […]}`. */
  list<Item extends object>(items: readonly Item[], columns: readonly Column<Item>[]): void;
  /** One line of data, for streams. */
  line(text: string): void;
  bytes(chunk: Uint8Array): Promise<void>;
  /** A line for the person at the terminal. */
  say(text: string): void;
  /** What is going on: overwritten in place, with its detail, on a terminal; one line per new `text` elsewhere. */
  progress(text: string, detail?: string): void;
  /** Ends the line of progress. */
  settle(): void;
}

const eraseLine = '\r\x1b[2K';

export function createTerminal(
  format: OutputFormat,
  stdout: NodeJS.WriteStream = process.stdout,
  stderr: NodeJS.WriteStream = process.stderr,
): Terminal {
  let progressing = '';
  const line = (text: string): void => void stdout.write(`${text}\n`);
  const json = (value: unknown): void => line(JSON.stringify(value, null, 2));

  function progress(text: string, detail = ''): void {
    // A line that wraps could not be erased.
    if (stderr.isTTY) stderr.write(eraseLine + `${text} ${detail}`.slice(0, stderr.columns - 1));
    else if (text !== progressing) stderr.write(`${text}\n`);
    progressing = text;
  }

  function settle(): void {
    if (progressing !== '' && stderr.isTTY) stderr.write('\n');
    progressing = '';
  }

  return {
    format,
    line,
    progress,
    settle,
    show(value, fields) {
      if (format === 'json') json(value);
      else
        line(
          formatTable(
            Object.entries(fields).filter(([, field]) => field !== undefined),
            fieldColumns,
          ),
        );
    },
    list(items, columns) {
      if (format === 'json') json({ items });
      else line(formatTable(items, columns, { head: true }));
    },
    bytes: (chunk) =>
      new Promise((resolve, reject) => {
        stdout.write(chunk, (error) => (error ? reject(error) : resolve()));
      }),
    say(text) {
      settle();
      stderr.write(`${text}\n`);
    },
  };
}

const fieldColumns: readonly Column<[string, unknown]>[] = [
  ['', ([name]) => name],
  ['', ([, value]) => value],
];
