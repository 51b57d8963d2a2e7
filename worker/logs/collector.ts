/**
 * The lines of one activation, on the host: those in the memory it began with and those it writes. One stream from the
 * guest serves every reader, so that readers cost the guest nothing, and the lines outlive a guest that crashes.
 *
 *   held ──release──► (a moment) ──► reading ──the guest quiesces──► held …   ──► ended
 *
 * It begins a while after a wake, unless a reader asks: nothing of it is in the way of the first request.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createSieve, newestOf, sizeOf, type LogLine } from '../../shared/logs/line.ts';
import type { LogsReply } from '../../shared/proto/gen/agent.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';
import type { GuestSessions } from '../guest/guest-sessions.ts';

/** After a wake the guest has better things to do; and after a stream that broke, too. */
const patienceMs = 1000;
/** What a guest has is small; under emulation and load it takes a second. */
const refreshLimitMs = 5000;
/** Of one activation in this process; the guest keeps less of its own. */
const bufferBytes = 1024 * 1024;

export interface LogCollector {
  /** The newest lines, oldest first. */
  lines(): readonly LogLine[];
  /** Takes what the guest has at this moment, if it may be asked and answers in time. */
  refresh(): Promise<void>;
  /** Calls back with what there is and what comes, until the activation is over. */
  follow(take: (lines: readonly LogLine[]) => void, over: () => void): Disposable;
  /** The guest may be asked. */
  release(): void;
  /** The guest is about to be frozen: no stream is opened any more. One that is open ends with the last line. */
  hold(): void;
  end(): void;
}

interface Reader {
  readonly take: (lines: readonly LogLine[]) => void;
  readonly over: () => void;
}

export function collectLogs(sessions: Pick<GuestSessions, 'logs'>, log: Logger): LogCollector {
  const readers = new Set<Reader>();
  const ended = new AbortController();
  const sieve = createSieve();
  let lines: LogLine[] = [];
  let sizeBytes = 0;
  let asked = Promise.withResolvers<undefined>();
  let released: PromiseWithResolvers<undefined> | undefined = Promise.withResolvers();

  const take = (arrived: Iterable<LogLine>): void => {
    const fresh = sieve(arrived);
    if (fresh.length === 0) return;
    lines.push(...fresh);
    sizeBytes += fresh.reduce((sum, line) => sum + sizeOf(line), 0);
    if (sizeBytes > 2 * bufferBytes) {
      lines = newestOf(lines, bufferBytes);
      sizeBytes = lines.reduce((sum, line) => sum + sizeOf(line), 0);
    }
    for (const reader of readers) reader.take(fresh);
  };
  const readOnce = async (follow: boolean): Promise<void> => {
    const stream = sessions.logs({ follow });
    const stop = (): void => stream.cancel();
    ended.signal.addEventListener('abort', stop);
    try {
      for await (const reply of stream) take((reply as LogsReply).lines);
    } finally {
      ended.signal.removeEventListener('abort', stop);
    }
  };
  const said = (error: unknown): void => log.debug({ err: error }, 'a log stream ended early');
  const run = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await released?.promise;
      await Promise.race([asked.promise, delay(patienceMs, undefined, { ref: false, signal: ended.signal })]);
      if (released !== undefined) continue;
      asked = Promise.withResolvers();
      await readOnce(true).catch(said);
    }
  };
  run().catch(() => undefined); // the end of a wait
  return {
    lines: () => lines,
    follow(take, over) {
      const reader = { take, over };
      if (lines.length > 0) take(lines);
      if (ended.signal.aborted) over();
      else readers.add(reader);
      asked.resolve(undefined);
      return { [Symbol.dispose]: () => void readers.delete(reader) };
    },
    async refresh() {
      if (released !== undefined || ended.signal.aborted) return;
      await Promise.race([readOnce(false).catch(said), delay(refreshLimitMs, undefined, { ref: false })]);
    },
    release() {
      released?.resolve(undefined);
      released = undefined;
    },
    hold: () => void (released ??= Promise.withResolvers()),
    end() {
      ended.abort(new Error('the activation is over'));
      released?.resolve(undefined);
      for (const { over } of readers) over();
      readers.clear();
    },
  };
}
