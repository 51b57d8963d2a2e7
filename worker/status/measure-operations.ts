/** Counts the jobs of a node where each says how it ended: at the operation it reports to the registry. */
import type { Operation } from '../../shared/registry/records.ts';
import type { Registry } from '../../shared/registry/registry.ts';
import type { Meters } from '../../shared/telemetry/meters.ts';

export function measureOperations(registry: Registry, meters: Meters): Registry {
  return {
    ...registry,
    async putOperation(operation) {
      const taken = await registry.putOperation(operation);
      if (taken && operation.finishedAt !== undefined) measure(meters, operation);
      return taken;
    },
    async transition(transition) {
      const result = await registry.transition(transition);
      const { operation } = transition;
      if (result.outcome === 'moved' && operation?.finishedAt !== undefined) measure(meters, operation);
      return result;
    },
  };
}

function measure(
  meters: Meters,
  { kind: job, error, phases = {}, createdAt, finishedAt = createdAt }: Operation,
): void {
  const outcome = error?.code ?? 'done';
  meters.count('dormouse_jobs_total', { job, outcome });
  if (job === 'resume') meters.count('dormouse_wakes_total', { start: startOf(outcome, phases), outcome });
  if (outcome !== 'done') return;
  const seconds = Math.max(0, Date.parse(finishedAt) - Date.parse(createdAt)) / 1000; // two machines' clocks
  meters.observe('dormouse_job_seconds', { job }, seconds);
  for (const [phase, ms] of Object.entries(phases)) meters.observe('dormouse_phase_seconds', { job, phase }, ms / 1000);
}

/** Only a cold start boots. */
function startOf(outcome: string, phases: NonNullable<Operation['phases']>): string {
  if (outcome !== 'done') return 'none';
  return 'boot' in phases ? 'cold' : 'warm';
}
