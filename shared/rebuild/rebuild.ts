/**
 * Reads the store back into the registry: templates, then actors with their generations. What the registry holds already
 * is compared: an older record is brought up to the log, and what the store says is deleted goes. An activation that the
 * registry knows of is left alone: its end looks at the log anyway.
 *
 * Repeating it is harmless, and so is a second process that does the same. Failures: those of the store and the registry
 * (then it is run again); one actor or template whose entries cannot be read is counted as `damaged` and logged, and does
 * not keep the others.
 */
import {
  rebuildOutcomes,
  type RebuildCounts,
  type RebuildOptions,
  type RebuildParts,
  type RebuildRun,
} from './rebuild-run.ts';
import { restoreActors } from './restore-actors.ts';
import { removeForgotten } from './remove-forgotten.ts';
import { restoreTemplates } from './restore-templates.ts';

export async function rebuild(parts: RebuildParts, options: RebuildOptions): Promise<RebuildCounts> {
  const counts = Object.fromEntries(rebuildOutcomes.map((outcome) => [outcome, 0])) as RebuildCounts;
  const run: RebuildRun = {
    ...parts,
    ...options,
    counts,
    async count(outcome) {
      counts[outcome]++;
      await options.onProgress?.(counts);
    },
  };
  const memory = await restoreTemplates(run);
  await restoreActors(run, memory);
  await removeForgotten(run);
  return counts;
}
