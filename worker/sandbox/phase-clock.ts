/**
 * Milliseconds by phase, for `Server-Timing` and operations. Phases may overlap: each is the time its own work took. Within
 * a traced job each is a span as well.
 */
import type { Phases } from '../../shared/registry/records.ts';
import { currentScope } from '../../shared/telemetry/trace-scope.ts';

export interface PhaseClock {
  measure<Result>(phase: string, work: () => Promise<Result>): Promise<Result>;
  record(phase: string, ms: number): void;
  readonly phases: Phases;
}

export function createPhaseClock(): PhaseClock {
  const phases: Phases = {};
  const span = currentScope()?.span;
  const record = (phase: string, ms: number): void => {
    phases[phase] = Math.round(((phases[phase] ?? 0) + ms) * 100) / 100;
    span?.phase(phase, ms);
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
