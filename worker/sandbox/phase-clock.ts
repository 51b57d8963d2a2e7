/** Milliseconds by phase, for `Server-Timing` and operations. Phases may overlap: each is the time its own work took. */
import type { Phases } from '../../shared/registry/records.ts';

export interface PhaseClock {
  measure<Result>(phase: string, work: () => Promise<Result>): Promise<Result>;
  record(phase: string, ms: number): void;
  readonly phases: Phases;
}

export function createPhaseClock(): PhaseClock {
  const phases: Phases = {};
  const record = (phase: string, ms: number): void => {
    phases[phase] = Math.round(((phases[phase] ?? 0) + ms) * 100) / 100;
  };
  return {
    phases,
    record,
    async measure(phase, work) {
      const startedAt = performance.now();
      try {
        return await work();
      } finally {
        record(phase, performance.now() - startedAt);
      }
    },
  };
}
