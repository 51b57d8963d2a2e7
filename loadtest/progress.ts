/**
 * What the person at the terminal sees while a run goes on, on standard error: one line that is refreshed in place on a
 * terminal, and elsewhere (a log, CI) a line per step.
 */
import { median } from './percentile.ts';
import type { Recorder } from './recorder.ts';

export interface Progress extends Disposable {
  /** A line that stays. */
  say(text: string): void;
  /** What is going on now; the detail is for a terminal alone, where it is overwritten. */
  doing(text: string, detail?: string): void;
  /** What was measured so far goes beside it. */
  follow(recorder: Recorder): void;
}

export interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Often enough to look alive, rarely enough to cost nothing beside what is measured. */
const refreshMs = 250;
/** Of this many last calls the line shows the median. */
const recentCalls = 200;
const eraseLine = '\r\x1b[2K';

export function createProgress(output: ProgressOutput): Progress {
  let doing = '';
  let followed: Recorder | undefined;
  const onTerminal = output.isTTY === true;

  function refresh(): void {
    if (!onTerminal || doing === '') return;
    // A line that wraps could not be erased.
    output.write(eraseLine + progressLine(doing, followed).slice(0, (output.columns ?? 80) - 1));
  }

  const timer = onTerminal ? setInterval(refresh, refreshMs) : undefined;
  timer?.unref();
  return {
    say(text) {
      output.write(`${onTerminal ? eraseLine : ''}${text}\n`);
      refresh();
    },
    doing(text, detail = '') {
      if (!onTerminal && text !== doing) output.write(`${text}\n`);
      doing = onTerminal ? `${text}${detail}` : text;
      refresh();
    },
    follow: (recorder) => void (followed = recorder),
    [Symbol.dispose]() {
      clearInterval(timer);
      if (onTerminal && doing !== '') output.write(eraseLine);
      doing = '';
    },
  };
}

export function progressLine(doing: string, recorder: Recorder | undefined): string {
  const samples = recorder?.samples ?? [];
  if (samples.length === 0) return `${doing} …`;
  const succeeded = samples.reduce((count, sample) => count + Number(sample.ok), 0);
  const p50 = median(samples.slice(-recentCalls).flatMap((sample) => (sample.ok ? (sample.latencyMs ?? []) : [])));
  const share = ((succeeded / samples.length) * 100).toFixed(1);
  return `${doing} · ${samples.length} calls · ${share}% succeeded · recent p50 ${p50?.toFixed(1) ?? '-'} ms`;
}
