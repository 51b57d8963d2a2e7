/**
 * What a child process writes: every line goes to `<folder>/<name>.log`, the last ones stay in memory for the report of
 * a death, and those at level warn and above are handed on. A log that has grown is set aside when the next stack starts
 * (one old copy is kept), so the folder stays bounded without a daemon.
 * Failure: a log that cannot be written (disk full) must not stop the stack: the line is lost, the tail still has it.
 */
import { createWriteStream } from 'node:fs';
import { mkdir, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';

/** About an hour of a busy worker at level info; small enough to open in an editor. */
const setAsideAboveBytes = 8 * 1024 * 1024;
/** Enough for a stack trace and the messages that led to it. */
const tailLines = 20;
/** pino's number for `warn`. */
const warnLevel = 40;

export interface LogWarning {
  readonly from: string;
  readonly level: 'warn' | 'error';
  readonly message: string;
}

export interface ChildLog {
  readonly file: string;
  /** The last lines, oldest first. */
  tail(): readonly string[];
  /** Reads a stream of the child until it ends. */
  follow(stream: Readable): void;
  close(): Promise<void>;
}

export async function openChildLog(
  folder: string,
  name: string,
  onWarning: (warning: LogWarning) => void,
): Promise<ChildLog> {
  const file = path.join(folder, `${name}.log`);
  await mkdir(folder, { recursive: true });
  await setAside(file);
  const stream = createWriteStream(file, { flags: 'a', mode: 0o640 });
  stream.on('error', () => undefined);
  const tail: string[] = [];
  const take = (line: string) => {
    stream.write(`${line}\n`);
    tail.push(line);
    if (tail.length > tailLines) tail.shift();
    const warning = warningIn(line, name);
    if (warning) onWarning(warning);
  };
  return {
    file,
    tail: () => tail,
    follow: (source) => void createInterface({ input: source, crlfDelay: Infinity }).on('line', take),
    close: () =>
      new Promise((resolve) => {
        stream.end(() => resolve());
      }),
  };
}

async function setAside(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found !== undefined && found.size > setAsideAboveBytes) await rename(file, `${file}.1`);
}

/** The warning in a line of pino's JSON, if it is one. Plain text (Redis, a crash of Node) is for the tail only. */
export function warningIn(line: string, from: string): LogWarning | undefined {
  const record = parseRecord(line);
  if (record === undefined || typeof record['level'] !== 'number' || record['level'] < warnLevel) return undefined;
  const reason = reasonIn(record['err']);
  const message = typeof record['msg'] === 'string' ? record['msg'] : 'no message';
  return {
    from,
    level: record['level'] > warnLevel ? 'error' : 'warn',
    message: reason === undefined ? message : `${message}: ${reason}`,
  };
}

function parseRecord(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined; // a line that only looks like JSON is plain text
  }
}

function reasonIn(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('message' in error)) return undefined;
  return typeof error.message === 'string' ? error.message : undefined;
}
