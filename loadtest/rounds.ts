/** Runs the rounds: every series once in each, in a rotating order, until all are done or the run is interrupted. */
import { Interrupted } from './interrupt.ts';
import type { Sample } from './sample.ts';
import { median } from './percentile.ts';
import { roundOrder, type Series } from './series/series.ts';

export interface RoundsResult {
  readonly samples: readonly Sample[];
  readonly interrupted: Interrupted | undefined;
}

export async function runRounds(
  series: readonly Series[],
  rounds: number,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<RoundsResult> {
  const samples: Sample[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      const words: string[] = [];
      for (const one of roundOrder(series, round)) {
        signal.throwIfAborted();
        const measured = await one.measure(round, signal);
        samples.push(...measured);
        words.push(`${one.name} ${describe(measured)}`);
      }
      say(`round ${round + 1}/${rounds}: ${words.join(', ')}`);
    }
    return { samples, interrupted: undefined };
  } catch (error) {
    if (error instanceof Interrupted) return { samples, interrupted: error };
    throw error;
  }
}

function describe(samples: readonly Sample[]): string {
  const failed = samples.find((sample) => !sample.ok);
  if (failed !== undefined) return `FAILED (${failed.error?.code ?? 'unknown'})`;
  const p50 = median(samples.flatMap((sample) => sample.latencyMs ?? []));
  return p50 === undefined ? '-' : `${p50.toFixed(1)} ms`;
}
