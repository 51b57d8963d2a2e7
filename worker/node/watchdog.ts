/**
 * The worker's end of its watchdog (worker/watchdog/main.ts): starts it, gives it its deadlines, and starts another one
 * when it ends or does not confirm in time. A new one gets the newest order first.
 *
 * Failure: `failed` resolves when several in a row never confirmed anything. The node must not run without one.
 */
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { Logger } from '../../shared/telemetry/logger.ts';
import { decodeReceipt, encodeLine, monotonicMs, type Order } from '../watchdog/order.ts';
import { watchdogMark } from './vm-processes.ts';

const program = fileURLToPath(new URL('../watchdog/main.ts', import.meta.url));
/** In a row, without one receipt: then it is not bad luck. */
const maxFailures = 5;
const restartAfterMs = 100;
/** Node starts in tens of ms; on a machine that boots guests under emulation it can take seconds. */
const startLimitMs = 10_000;
/** It ends at the end of file; longer means that it is stopped. */
const endLimitMs = 2000;

export interface Watchdog extends AsyncDisposable {
  /** Sets the deadlines. Resolves once the watchdog has them, and says whether VMs may have been stopped before that. */
  order(freezeAtMs: number, endAtMs: number): Promise<boolean>;
  readonly failed: Promise<string>;
  readonly pid: number | undefined;
}

export interface WatchdogOptions {
  readonly nodeFolder: string;
  /** A receipt takes milliseconds; a watchdog that has started and then takes so long is replaced. */
  readonly receiptLimitMs: number;
  readonly log: Logger;
}

interface Waiting {
  readonly seq: number;
  resolve(froze: boolean): void;
}

export function startWatchdog({ nodeFolder, receiptLimitMs, log }: WatchdogOptions): Watchdog {
  const failed = Promise.withResolvers<string>();
  let waiting: Waiting[] = [];
  let newest: Order | undefined;
  let waitingSince = 0;
  let failures = 0;
  let confirmedOnce = false;
  let closed = false;
  let child = start('first');

  function start(which: 'first' | 'another'): Child {
    const started = spawn(nodeFolder);
    // What the one before it did last, nobody knows.
    let unknown = which === 'another';
    started.stdin.on('error', () => undefined); // it ended: told below
    createInterface({ input: started.stdout }).on('line', (line) => {
      const { seq, froze } = decodeReceipt(line);
      confirm(seq, froze || unknown);
      unknown = false;
    });
    void started.then((result) => restart(result.signal ?? `exit code ${result.exitCode ?? 'unknown'}`));
    waitingSince = monotonicMs();
    confirmedOnce = false;
    if (newest !== undefined) started.stdin.write(encodeLine(newest));
    return started;
  }
  /** A later order replaces the ones before it, and so does its receipt. */
  function confirm(seq: number, froze: boolean): void {
    failures = 0;
    confirmedOnce = true;
    waitingSince = monotonicMs();
    for (const each of waiting.filter((item) => item.seq <= seq)) each.resolve(froze);
    waiting = waiting.filter((item) => item.seq > seq);
  }
  function restart(how: string): void {
    if (closed) return;
    log.warn({ how }, 'watchdog ended, starting another one');
    if (++failures > maxFailures) {
      failed.resolve(`its watchdog cannot be kept running (${how})`);
      return;
    }
    setTimeout(() => {
      if (!closed) child = start('another');
    }, restartAfterMs);
  }
  function check(): void {
    const limitMs = confirmedOnce ? receiptLimitMs : startLimitMs;
    if (waiting.length === 0 || monotonicMs() - waitingSince < limitMs) return;
    log.warn({ watchdogPid: child.pid }, 'watchdog does not confirm, replacing it');
    waitingSince = monotonicMs();
    child.kill('SIGKILL');
  }
  // When it was us who were kept from running, the receipt may lie unread in the pipe: read first, then decide.
  const timer = setInterval(() => setImmediate(check), receiptLimitMs / 4);

  let seq = 0;
  return {
    failed: failed.promise,
    get pid() {
      return child.pid;
    },
    order(freezeAtMs, endAtMs) {
      newest = { seq: ++seq, freezeAtMs, endAtMs };
      if (waiting.length === 0) waitingSince = monotonicMs();
      const { promise, resolve } = Promise.withResolvers<boolean>();
      waiting.push({ seq, resolve });
      child.stdin.write(encodeLine(newest));
      return promise;
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      clearInterval(timer);
      const limit = setTimeout(() => child.kill('SIGKILL'), endLimitMs);
      child.stdin.end();
      await child;
      clearTimeout(limit);
    },
  };
}

type Child = ReturnType<typeof spawn>;

/** Without a parent death signal: it outlives its worker for a moment, to see that no VM does. */
const spawn = (nodeFolder: string) =>
  execa(process.execPath, [program, nodeFolder, String(process.pid), watchdogMark(nodeFolder)], {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
    buffer: false,
    reject: false,
    cleanup: false,
  });
