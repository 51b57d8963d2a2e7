/** Which templates are being woken, and how many sandboxes in waiting would have served them: by this process's own clock. */
import type { TemplateDescriptor } from '../../shared/template/golden.ts';

/** A sandbox in waiting holds a golden's memory: not for a template that nobody has called for so long. */
const keepMs = 600_000;
/** Misses further apart than this are not one burst: the one sandbox in waiting is back by then. */
const burstMs = 60_000;
/** More than ever wait (`DORMOUSE_POOL_SIZE`): one more says nothing new, and each wake of a burst looks through them. */
const countedMisses = 100;

export type Note = 'hit' | 'miss' | 'expected';

export interface Demand {
  note(template: TemplateDescriptor, note: Note): void;
  forget(revision: string): void;
  clear(): void;
  templates(): readonly TemplateDescriptor[];
  /** How many of the template should wait. */
  wanted(revision: string): number;
  /** When the template was last noted; 0: never. */
  lastAt(revision: string): number;
  /** The template noted last of those that have fewer in waiting than wanted. */
  missing(countOf: (revision: string) => number): TemplateDescriptor | undefined;
}

interface Known {
  readonly template: TemplateDescriptor;
  lastAt: number;
  /** The oldest first. */
  readonly missesAt: number[];
}

export function createDemand(now: () => number = () => performance.now()): Demand {
  const known = new Map<string, Known>();
  const wanted = (revision: string): number => {
    const entry = known.get(revision);
    if (entry === undefined || now() - entry.lastAt > keepMs) return 0;
    const since = now() - burstMs;
    const recent = entry.missesAt.filter((at) => at >= since);
    // The first miss is what made the template known; each further one is a sandbox that was lacking.
    return Math.max(1, recent.length);
  };
  return {
    note(template, note) {
      const entry = known.get(template.revision) ?? { template, lastAt: 0, missesAt: [] };
      entry.lastAt = now();
      if (note === 'miss') entry.missesAt.push(entry.lastAt);
      if (entry.missesAt.length > countedMisses) entry.missesAt.shift();
      known.set(template.revision, entry);
    },
    forget: (revision) => void known.delete(revision),
    clear: () => known.clear(),
    templates: () => [...known.values()].map(({ template }) => template),
    wanted,
    lastAt: (revision) => known.get(revision)?.lastAt ?? 0,
    missing: (countOf) =>
      [...known.values()]
        .toSorted((a, b) => b.lastAt - a.lastAt)
        .find(({ template: { revision } }) => countOf(revision) < wanted(revision))?.template,
  };
}
