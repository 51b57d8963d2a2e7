/**
 * A line of an actor's log, and which of two sources' lines a reader has seen already. Lines are numbered by the guest, in
 * memory that is part of each snapshot: the numbers go on where a snapshot ended, on whatever node, and they fall back
 * when the actor does. So a line is new to a reader if its number is higher than any seen, or if it was written later.
 */

export interface LogLine {
  readonly sequence: bigint;
  readonly unixNanos: bigint;
  readonly container: string;
  readonly isError: boolean;
  readonly text: string;
}

/** How far a reader is: the highest number and the latest time seen. */
export interface Cursor {
  readonly sequence: bigint;
  readonly unixNanos: bigint;
}

export const beforeAll: Cursor = { sequence: 0n, unixNanos: 0n };

export const isNew = (line: Cursor, seen: Cursor): boolean =>
  line.sequence > seen.sequence || line.unixNanos > seen.unixNanos;

export const advance = (seen: Cursor, line: Cursor): Cursor => ({
  sequence: line.sequence > seen.sequence ? line.sequence : seen.sequence,
  unixNanos: line.unixNanos > seen.unixNanos ? line.unixNanos : seen.unixNanos,
});

/** Passes each line on once, however often and from wherever it comes. */
export function createSieve(start: Cursor = beforeAll): (lines: Iterable<LogLine>) => LogLine[] {
  let seen = start;
  return (lines) => {
    const fresh: LogLine[] = [];
    for (const line of lines) {
      if (!isNew(line, seen)) continue;
      seen = advance(seen, line);
      fresh.push(line);
    }
    return fresh;
  };
}

/** What a line costs wherever lines are bounded: its text and the facts beside it. */
export const sizeOf = ({ text }: LogLine): number => Buffer.byteLength(text) + 64;

/** The newest lines that fit. */
export function newestOf(lines: readonly LogLine[], limitBytes: number): LogLine[] {
  let size = 0;
  let start = lines.length;
  while (start > 0) {
    const line = lines[start - 1];
    if (line === undefined || size + sizeOf(line) > limitBytes) break;
    size += sizeOf(line);
    start--;
  }
  return lines.slice(start);
}
