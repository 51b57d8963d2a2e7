/**
 * Reads the store back into the registry: templates, then actors with their generations. What the registry holds already
 * is compared: an older record is brought up to the log, and what the store says is deleted goes. An activation that the
 * registry knows of is left alone: its end looks at the log anyway.
 *
 * Repeating it is harmless, and so is a second process that does the same. Failures: those of the store and the registry
 * (then it is run again); one actor or template whose entries cannot be read is counted as `damaged` and logged, and does
 * not keep the others.
 */
import type { ObjectStore } from '../object-store/object-store.ts';
import type { Registry } from '../registry/registry.ts';
import type { Logger } from '../telemetry/logger.ts';
import { restoreActors } from './restore-actors.ts';
import { removeForgotten } from './remove-forgotten.ts';
import { restoreTemplates } from './restore-templates.ts';

export interface RebuildParts {
  readonly registry: Registry;
  readonly store: ObjectStore;
  readonly log: Logger;
}

export const rebuildOutcomes = ['templates', 'restored', 'updated', 'known', 'busy', 'removed', 'damaged'] as const;
/** How many of each; `templates` and `restored` were put back, `known` were right. */
export type RebuildCounts = Record<(typeof rebuildOutcomes)[number], number>;

export interface RebuildOptions {
  readonly signal: AbortSignal;
  /** Called with each actor and template; a promise that it returns is waited for. */
  readonly onProgress?: (counts: Readonly<RebuildCounts>) => Promise<void> | void;
}

export interface RebuildRun extends RebuildParts, RebuildOptions {
  readonly counts: RebuildCounts;
  count(outcome: keyof RebuildCounts): Promise<void>;
}

/** Actors read at once: enough to hide the store's round trips, few enough to leave it to those who call actors. */
export const rebuildLanes = 8;

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
