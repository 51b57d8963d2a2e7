/** What the parts of one rebuild share: where it reads and writes, when it must stop, and what it has counted. */
import type { ObjectStore } from '../object-store/object-store.ts';
import type { Registry } from '../registry/registry.ts';
import type { Logger } from '../telemetry/logger.ts';

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
