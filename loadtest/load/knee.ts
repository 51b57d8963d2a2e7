/** The knee of a ladder: the highest rate that was still served well, and what gave way above it. Pure. */

export interface Step {
  readonly ratePerS: number;
  readonly offered: number;
  readonly succeeded: number;
  /** Undefined when nothing succeeded. */
  readonly p50Ms: number | undefined;
}

export interface KneeBounds {
  /** The p50 a step may have. */
  readonly p50BoundMs: number;
}

export interface Knee {
  /** Undefined when already the first step was too much. */
  readonly ratePerS: number | undefined;
  /** False: the ladder ended before anything gave way, and the rate is only a lower bound. */
  readonly reached: boolean;
  readonly reason: string;
}

/** Success may fall short of what was offered by this much. */
export const allowedLoss = 0.01;

/** Why a step is beyond the knee; undefined when it was served well. */
export function overload(step: Step, { p50BoundMs }: KneeBounds): string | undefined {
  const lost = step.offered - step.succeeded;
  if (lost > allowedLoss * step.offered) return `${lost} of ${step.offered} calls failed`;
  if (step.p50Ms !== undefined && step.p50Ms > p50BoundMs) {
    return `the p50 was ${step.p50Ms.toFixed(1)} ms, above ${p50BoundMs} ms`;
  }
  return undefined;
}

export function kneeOf(steps: readonly Step[], bounds: KneeBounds): Knee {
  const beyond = steps.findIndex((step) => overload(step, bounds) !== undefined);
  const last = (beyond === -1 ? steps.at(-1) : steps[beyond - 1])?.ratePerS;
  const over = steps[beyond];
  if (over === undefined) return { ratePerS: last, reached: false, reason: 'nothing gave way up to the last step' };
  return { ratePerS: last, reached: true, reason: `at ${over.ratePerS}/s ${overload(over, bounds) ?? ''}` };
}

/** Rates that grow by a factor, so that a ladder finds a knee at 10/s and at 10,000/s in few steps. */
export function ladderRates(firstPerS: number, factor: number, steps: number): number[] {
  return Array.from({ length: steps }, (_, index) => Number((firstPerS * factor ** index).toPrecision(3)));
}
