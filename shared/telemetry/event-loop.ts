/**
 * How late this process's event loop is. Everything that a process does for its callers waits for the same loop, so one
 * piece of long work (a large record, a page comparison on the wrong thread) shows here before it shows anywhere else.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Logger } from './logger.ts';

export interface EventLoopDelay {
  /** Milliseconds since the last reading. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface EventLoopWatch extends Disposable {
  /** What happened since the last reading, but for the few milliseconds around it. */
  read(): EventLoopDelay;
}

/** Coarse enough to cost an idle process nothing that can be measured, fine enough for what a caller would notice. */
const resolutionMs = 50;
const reportEveryMs = 10_000;
/** A share of the shortest deadline that depends on the loop: the renewal of a node's lease. */
const stallMs = 500;

/** Reads every few seconds, and tells the log of a stall. */
export function reportStalls(log: Logger): Disposable {
  const watch = watchEventLoop();
  const timer = setInterval(() => {
    const delay = watch.read();
    if (delay.maxMs >= stallMs) log.warn({ eventLoop: delay }, 'event loop stalled');
  }, reportEveryMs).unref();
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      watch[Symbol.dispose]();
    },
  };
}

export function watchEventLoop(): EventLoopWatch {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  // What is recorded is the time between two looks, so the time that was asked for is in it.
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - resolutionMs);
  return {
    read() {
      const delay = {
        p50Ms: late(histogram.percentile(50)),
        p99Ms: late(histogram.percentile(99)),
        maxMs: late(histogram.max),
      };
      histogram.reset();
      return delay;
    },
    [Symbol.dispose]: () => void histogram.disable(),
  };
}
