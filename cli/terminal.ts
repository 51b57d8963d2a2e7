/**
 * Where words go: data to standard output, everything else (progress, hints, errors) to standard error, so that the
 * output of any command can be piped. With `-o json` or `-o yaml` the data is that and nothing else; with `-q` it is ids.
 */
import { styleText } from 'node:util';
import { stringify } from 'yaml';
import { cellText, formatTable, type Column } from './table.ts';

export type OutputFormat = 'table' | 'json' | 'yaml';

export interface Terminal {
  readonly format: OutputFormat;
  /** One thing: a list of its fields, the first of which names it; or the whole of it as JSON or YAML. */
  show(value: object, fields: Readonly<Record<string, unknown>>): void;
  /** A list: a table, whose first column names the things; or `{items: […]}`. */
  list<Item extends object>(items: readonly Item[], columns: readonly Column<Item>[]): void;
  /** One of a stream of things: a line of text, one of JSON, or a document of YAML. */
  record(value: object, text: string): void;
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

export interface TerminalOptions {
  readonly format: OutputFormat;
  readonly quiet?: boolean;
  /** Whether colours are wanted; they are used on a terminal only. */
  readonly colours?: boolean;
  readonly stdout?: NodeJS.WriteStream;
  readonly stderr?: NodeJS.WriteStream;
}

const eraseLine = '\r\x1b[2K';

export function createTerminal(options: TerminalOptions): Terminal {
  const { format, quiet = false, stdout = process.stdout, stderr = process.stderr } = options;
  const width = stdout.isTTY ? stdout.columns : undefined;
  const paint = options.colours === true && stdout.isTTY ? paintState : plain;
  let progressing = '';
  const line = (text: string): void => void stdout.write(`${text}\n`);
  const whole = (value: unknown): void =>
    line(format === 'json' ? JSON.stringify(value, null, 2) : stringify(value).trimEnd());

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
      const shown = Object.entries(fields).filter(([, field]) => field !== undefined);
      if (quiet) line(cellText(shown[0]?.[1]));
      else if (format !== 'table') whole(value);
      else line(fieldLines(shown, paint));
    },
    list(items, columns) {
      if (quiet) for (const item of items) line(cellText(columns[0]?.[1](item)));
      else if (format !== 'table') whole({ items });
      else line(formatTable(items, columns, { head: true, width, paint }));
    },
    record(value, text) {
      if (format === 'table') line(text);
      else if (format === 'json') line(JSON.stringify(value));
      else line(`---\n${stringify(value).trimEnd()}`);
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

type Field = [name: string, value: unknown];
type Paint = (head: string, cell: string) => string;

const plain: Paint = (_head, cell) => cell;

function fieldLines(fields: readonly Field[], paint: Paint): string {
  const width = Math.max(...fields.map(([name]) => name.length));
  return fields.map(([name, value]) => `${name.padEnd(width)}  ${paint(name, cellText(value))}`.trimEnd()).join('\n');
}

const tones = {
  green: new Set(['running', 'ready', 'active', 'done', 'yes', 'ok']),
  yellow: new Set(['resuming', 'suspending', 'pausing', 'preparing', 'draining', 'queued', 'deleting']),
  red: new Set(['failed', 'failing', 'disabled', 'lost', 'no']),
} as const;

const paintState: Paint = (head, cell) => {
  if (!/^(state|ready)$/i.test(head)) return cell;
  for (const [tone, states] of Object.entries(tones)) {
    // The caller has looked whether standard output is a terminal.
    if (states.has(cell)) return styleText(tone as keyof typeof tones, cell, { validateStream: false });
  }
  return cell;
};
